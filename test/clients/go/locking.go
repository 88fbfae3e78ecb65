package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
)

var lockingRules = []transactionRule{
	{"a pessimistic lock makes others wait until its holder commits", lockWaits},
	{"a pessimistic lock that may not wait is refused at once", lockNoWait},
	{"a wait for a lock ends when its time is over", lockTimeout},
	{"a lock returns the value it locks, newer than the transaction's snapshot, or that there is none", lockReturns},
	{"a lock for what exists only leaves absent keys unlocked", lockIfExists},
	{"of two transactions that wait for each other one is told of the deadlock, and why", deadlock},
	{"a holder that lives keeps its lock beyond the lock's time to live", heartbeat},
	{"counters that are locked for each increment lose none", counters},
	{"a lock in fair mode is granted with the conflict and the newest value", fairLock},
	{"pessimistic transactions commit asynchronously, and in one phase", pessimisticModes},
	{"a pessimistic insert is refused by the lock itself", pessimisticInsert},
}

// lock locks at a fresh timestamp; wait is in milliseconds, or one of kv's two words for it.
func lock(ctx context.Context, client *txnkv.Client, txn *transaction.KVTxn, wait int64, keys ...[]byte) error {
	_, err := lockWith(ctx, client, txn, wait, func(*kv.LockCtx) {}, keys...)
	return err
}

func lockWith(ctx context.Context, client *txnkv.Client, txn *transaction.KVTxn, wait int64, with func(*kv.LockCtx), keys ...[]byte) (*kv.LockCtx, error) {
	at, err := now(client)
	if err != nil {
		return nil, err
	}
	lockCtx := kv.NewLockCtx(at, wait, time.Now())
	with(lockCtx)
	return lockCtx, txn.LockKeys(ctx, lockCtx, keys...)
}

// lockRetrying locks again at a newer timestamp whenever the key was written meanwhile.
func lockRetrying(ctx context.Context, client *txnkv.Client, txn *transaction.KVTxn, keys ...[]byte) (*kv.LockCtx, error) {
	for {
		lockCtx, err := lockWith(ctx, client, txn, kv.LockAlwaysWait, returning(len(keys)), keys...)
		if !tikverr.IsErrWriteConflict(err) {
			return lockCtx, err
		}
	}
}

func returning(count int) func(*kv.LockCtx) {
	return func(lockCtx *kv.LockCtx) { lockCtx.InitReturnValues(count) }
}

// locked begins a pessimistic transaction that holds the keys.
func locked(ctx context.Context, client *txnkv.Client, keys ...[]byte) (*transaction.KVTxn, error) {
	txn, err := begin(client, modes[1])
	if err != nil {
		return nil, err
	}
	return txn, lock(ctx, client, txn, kv.LockAlwaysWait, keys...)
}

func lockWaits(ctx context.Context, client *txnkv.Client) error {
	key := k("waits")
	holder, err := locked(ctx, client, key)
	if err != nil {
		return err
	}
	waiter, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	var committed atomic.Bool
	waited := make(chan error, 1)
	go func() {
		lockCtx, err := lockRetrying(ctx, client, waiter, key)
		switch {
		case err != nil:
			waited <- err
		case !committed.Load():
			waited <- errors.New("it was granted while another held it")
		case !bytes.Equal(lockCtx.Values[string(key)].Value, k("held")):
			waited <- fmt.Errorf("it returned %q", lockCtx.Values[string(key)].Value)
		default:
			waited <- waiter.Set(key, k("waited"))
		}
	}()
	time.Sleep(300 * time.Millisecond)
	if err := holder.Set(key, k("held")); err != nil {
		return err
	}
	committed.Store(true)
	if err := holder.Commit(ctx); err != nil {
		return err
	}
	begun := time.Now()
	if err := <-waited; err != nil {
		return err
	}
	if took := time.Since(begun); took > 2*time.Second {
		return fmt.Errorf("the waiter went on %v after the commit", took)
	}
	if err := waiter.Commit(ctx); err != nil {
		return err
	}
	return expectNow(ctx, client, key, k("waited"))
}

func lockNoWait(ctx context.Context, client *txnkv.Client) error {
	holder, err := locked(ctx, client, k("nowait"))
	if err != nil {
		return err
	}
	defer holder.Rollback()
	other, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	defer other.Rollback()
	err = lock(ctx, client, other, kv.LockNoWait, k("nowait"))
	if !errors.Is(err, tikverr.ErrLockAcquireFailAndNoWaitSet) {
		return fmt.Errorf("%v is no refusal to wait", err)
	}
	return nil
}

func lockTimeout(ctx context.Context, client *txnkv.Client) error {
	holder, err := locked(ctx, client, k("timeout"))
	if err != nil {
		return err
	}
	defer holder.Rollback()
	other, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	defer other.Rollback()
	begun := time.Now()
	err = lock(ctx, client, other, 600, k("timeout"))
	if took := time.Since(begun); took < 500*time.Millisecond || took > 5*time.Second {
		return fmt.Errorf("it ended after %v", took)
	}
	if !errors.Is(err, tikverr.ErrLockWaitTimeout) {
		return fmt.Errorf("%v is no end of waiting", err)
	}
	return nil
}

func lockReturns(ctx context.Context, client *txnkv.Client) error {
	txn, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	defer txn.Rollback()
	present, absent := k("returns/present"), k("returns/absent")
	if _, err := writeAll(ctx, client, modes[0], [][]byte{present}, [][]byte{k("newer")}); err != nil {
		return err
	}
	lockCtx, err := lockWith(ctx, client, txn, kv.LockAlwaysWait, returning(2), present, absent)
	if err != nil {
		return err
	}
	if got := lockCtx.Values[string(present)]; !got.Exists || !bytes.Equal(got.Value, k("newer")) {
		return fmt.Errorf("%q for the present key", got.Value)
	}
	if got := lockCtx.Values[string(absent)]; got.Exists || len(got.Value) > 0 {
		return fmt.Errorf("%q for the absent key", got.Value)
	}
	if got, err := valueIn(ctx, txn, present); err != nil || got != nil {
		return fmt.Errorf("its snapshot reads %q: %w", got, err)
	}
	other, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	defer other.Rollback()
	exists := func(lockCtx *kv.LockCtx) { lockCtx.InitCheckExistence(1) }
	if err := txn.Rollback(); err != nil {
		return err
	}
	lockCtx, err = lockWith(ctx, client, other, kv.LockAlwaysWait, exists, present)
	if err != nil {
		return err
	}
	if got := lockCtx.Values[string(present)]; !got.Exists || len(got.Value) > 0 {
		return fmt.Errorf("asked for existence: %v, with %q", got.Exists, got.Value)
	}
	return nil
}

func lockIfExists(ctx context.Context, client *txnkv.Client) error {
	present, absent := k("exists/present"), k("exists/absent")
	if _, err := writeAll(ctx, client, modes[0], [][]byte{present}, [][]byte{k("there")}); err != nil {
		return err
	}
	txn, err := locked(ctx, client, k("exists/primary"))
	if err != nil {
		return err
	}
	defer txn.Rollback()
	only := func(lockCtx *kv.LockCtx) {
		lockCtx.InitReturnValues(2)
		lockCtx.LockOnlyIfExists = true
	}
	if _, err := lockWith(ctx, client, txn, kv.LockAlwaysWait, only, present, absent); err != nil {
		return err
	}
	other, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	defer other.Rollback()
	if err := lock(ctx, client, other, kv.LockNoWait, absent); err != nil {
		return fmt.Errorf("the absent key: %w", err)
	}
	if err := lock(ctx, client, other, kv.LockNoWait, present); err == nil {
		return errors.New("the present key was not locked")
	}
	return nil
}

func deadlock(ctx context.Context, client *txnkv.Client) error {
	// The two keys are in two regions, hence maybe on two stores.
	keys := [2][]byte{k("a/deadlock"), k("z/deadlock")}
	txns := [2]*transaction.KVTxn{}
	for i, key := range keys {
		txn, err := locked(ctx, client, key)
		if err != nil {
			return err
		}
		defer txn.Rollback()
		txns[i] = txn
	}
	outcomes := make(chan error, 2)
	for i, txn := range txns {
		go func() {
			time.Sleep(time.Duration(i) * 200 * time.Millisecond)
			_, err := lockRetrying(ctx, client, txn, keys[1-i])
			outcomes <- err
			if err != nil {
				txn.Rollback()
			}
		}()
	}
	begun := time.Now()
	err := <-outcomes
	var told *tikverr.ErrDeadlock
	if !errors.As(err, &told) {
		return fmt.Errorf("%v after %v is no deadlock", err, time.Since(begun))
	}
	if len(told.GetWaitChain()) != 2 || told.GetLockTs() == 0 || told.GetDeadlockKeyHash() == 0 {
		return fmt.Errorf("it is not explained: %v", told.Deadlock)
	}
	for _, entry := range told.GetWaitChain() {
		if !bytes.Equal(entry.GetKey(), keys[0]) && !bytes.Equal(entry.GetKey(), keys[1]) {
			return fmt.Errorf("the chain holds the key %q", entry.GetKey())
		}
	}
	if err := <-outcomes; err != nil {
		return fmt.Errorf("the other: %w", err)
	}
	return nil
}

func heartbeat(ctx context.Context, client *txnkv.Client) error {
	before := atomic.SwapUint64(&transaction.ManagedLockTTL, 1500)
	defer atomic.StoreUint64(&transaction.ManagedLockTTL, before)
	holder, err := locked(ctx, client, k("heartbeat"))
	if err != nil {
		return err
	}
	time.Sleep(4 * time.Second)
	other, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	defer other.Rollback()
	if err := lock(ctx, client, other, kv.LockNoWait, k("heartbeat")); err == nil {
		return errors.New("another has locked it")
	}
	if err := holder.Set(k("heartbeat"), k("kept")); err != nil {
		return err
	}
	if err := holder.Commit(ctx); err != nil {
		return err
	}
	return expectNow(ctx, client, k("heartbeat"), k("kept"))
}

func counters(ctx context.Context, client *txnkv.Client) error {
	const workers, increments = 8, 15
	keys := [][]byte{k("a/counter"), k("z/counter")}
	failures := make(chan error, workers)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := range increments {
				mode := modes[1]
				if (worker+i)%3 > 0 {
					mode = modes[3+(worker+i)%3]
				}
				if err := increment(ctx, client, mode, keys); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wait.Wait()
	select {
	case err := <-failures:
		return err
	default:
	}
	for _, key := range keys {
		if err := expectNow(ctx, client, key, fmt.Append(nil, workers*increments)); err != nil {
			return err
		}
	}
	return nil
}

// increment locks both counters, in one order, and counts on from what the locks return.
func increment(ctx context.Context, client *txnkv.Client, mode mode, keys [][]byte) error {
	txn, err := begin(client, mode)
	if err != nil {
		return err
	}
	for _, key := range keys {
		lockCtx, err := lockRetrying(ctx, client, txn, key)
		if err != nil {
			return errors.Join(err, txn.Rollback())
		}
		count := 0
		if held := lockCtx.Values[string(key)]; held.Exists {
			if _, err := fmt.Sscan(string(held.Value), &count); err != nil {
				return err
			}
		}
		if err := txn.Set(key, fmt.Append(nil, count+1)); err != nil {
			return err
		}
	}
	return txn.Commit(ctx)
}

// fairLock: the client calls this mode aggressive.
func fairLock(ctx context.Context, client *txnkv.Client) error {
	key := k("fair")
	txn, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	at, err := now(client)
	if err != nil {
		return err
	}
	if _, err := writeAll(ctx, client, modes[0], [][]byte{key}, [][]byte{k("newest")}); err != nil {
		return err
	}
	txn.StartAggressiveLocking()
	lockCtx := kv.NewLockCtx(at, kv.LockAlwaysWait, time.Now())
	lockCtx.InitReturnValues(1)
	if err := txn.LockKeys(ctx, lockCtx, key); err != nil {
		return err
	}
	held := lockCtx.Values[string(key)]
	if held.LockedWithConflictTS <= at || !bytes.Equal(held.Value, k("newest")) {
		return fmt.Errorf("granted with %q of %d", held.Value, held.LockedWithConflictTS)
	}
	txn.DoneAggressiveLocking(ctx)
	if err := txn.Set(key, k("after")); err != nil {
		return err
	}
	if err := txn.Commit(ctx); err != nil {
		return err
	}
	return expectNow(ctx, client, key, k("after"))
}

func pessimisticModes(ctx context.Context, client *txnkv.Client) error {
	for _, mode := range modes[4:] {
		keys, values := pairs("a/"+mode.name, 3)
		txn, err := begin(client, mode)
		if err != nil {
			return err
		}
		if err := lock(ctx, client, txn, kv.LockAlwaysWait, keys...); err != nil {
			return err
		}
		if err := fill(txn, keys, values); err != nil {
			return err
		}
		if err := txn.Commit(ctx); err != nil {
			return err
		}
		committer := transaction.TxnProbe{KVTxn: txn}.GetCommitter()
		if committer.IsOnePC() != mode.onePC || (mode.asyncCommit && !committer.IsAsyncCommit()) {
			return fmt.Errorf("%s was committed in another way", mode.name)
		}
		if err := expectNow(ctx, client, keys[2], values[2]); err != nil {
			return err
		}
	}
	return nil
}

func pessimisticInsert(ctx context.Context, client *txnkv.Client) error {
	key := k("inserted")
	if _, err := writeAll(ctx, client, modes[0], [][]byte{key}, [][]byte{k("there")}); err != nil {
		return err
	}
	txn, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	defer txn.Rollback()
	if err := txn.GetMemBuffer().SetWithFlags(key, k("again"), kv.SetPresumeKeyNotExists); err != nil {
		return err
	}
	if err := lock(ctx, client, txn, kv.LockAlwaysWait, key); !tikverr.IsErrKeyExist(err) {
		return fmt.Errorf("%v does not say that the key is there", err)
	}
	return nil
}
