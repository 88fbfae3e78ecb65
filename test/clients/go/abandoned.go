package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/tikvrpc"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
)

// abandonment is a way to die in the middle of a commit: a process of its own writes "new" to some
// keys that hold "old", gets so far, and kills itself. Whoever comes later finishes its work.
type abandonment struct {
	name  string
	title string
	// until is how far the dying process gets.
	until func(ctx context.Context, client *txnkv.Client, keys [][]byte) error
	// committed is what the others must make of it.
	committed bool
}

var abandonments = []abandonment{
	{
		"prewritten", "a transaction whose client died before the commit is rolled back by readers",
		func(ctx context.Context, client *txnkv.Client, keys [][]byte) error {
			committer, err := dying(client, keys)
			if err != nil {
				return err
			}
			return committer.PrewriteAllMutations(ctx)
		},
		false,
	},
	{
		"primary", "one whose client died after the primary's commit is committed by readers",
		func(ctx context.Context, client *txnkv.Client, keys [][]byte) error {
			committer, err := dying(client, keys)
			if err != nil {
				return err
			}
			if err := committer.PrewriteAllMutations(ctx); err != nil {
				return err
			}
			return commitOnly(ctx, client, committer.GetPrimaryKey(), committer.GetStartTS())
		},
		true,
	},
	{
		"async", "an async commit whose client died when all was prewritten is committed by readers",
		func(ctx context.Context, client *txnkv.Client, keys [][]byte) error {
			committer, err := dying(client, keys)
			if err != nil {
				return err
			}
			committer.SetUseAsyncCommit()
			return committer.PrewriteAllMutations(ctx)
		},
		true,
	},
	{
		"halfway", "an async commit whose client died before all was prewritten is rolled back by readers",
		func(ctx context.Context, client *txnkv.Client, keys [][]byte) error {
			committer, err := dying(client, keys)
			if err != nil {
				return err
			}
			committer.SetUseAsyncCommit()
			half := append([][]byte{committer.GetPrimaryKey()}, keys[1:len(keys)/2]...)
			return committer.PrewriteMutations(ctx, committer.MutationsOfKeys(half))
		},
		false,
	},
	{
		"locked", "pessimistic locks of a client that died hold nobody up beyond their time to live",
		func(ctx context.Context, client *txnkv.Client, keys [][]byte) error {
			transaction.ManagedLockTTL = 3000
			_, err := locked(ctx, client, keys...)
			return err
		},
		false,
	},
}

func dying(client *txnkv.Client, keys [][]byte) (transaction.CommitterProbe, error) {
	txn, err := client.Begin()
	if err != nil {
		return transaction.CommitterProbe{}, err
	}
	values := make([][]byte, len(keys))
	for i := range values {
		values[i] = k("new")
	}
	if err := fill(txn, keys, values); err != nil {
		return transaction.CommitterProbe{}, err
	}
	return transaction.TxnProbe{KVTxn: txn}.NewCommitter(0)
}

// commitOnly commits one key of a transaction, as the client never does by itself.
func commitOnly(ctx context.Context, client *txnkv.Client, key []byte, startTs uint64) error {
	at, err := now(client)
	if err != nil {
		return err
	}
	bo := tikv.NewBackofferWithVars(ctx, 20_000, nil)
	location, err := client.GetRegionCache().LocateKey(bo, key)
	if err != nil {
		return err
	}
	request := &kvrpcpb.CommitRequest{StartVersion: startTs, Keys: [][]byte{key}, CommitVersion: at}
	response, err := client.SendReq(bo, tikvrpc.NewRequest(tikvrpc.CmdCommit, request), location.Region, 5*time.Second)
	if err != nil {
		return err
	}
	if refused := response.Resp.(*kvrpcpb.CommitResponse).GetError(); refused != nil {
		return errors.New(refused.String())
	}
	return nil
}

// abandon gets as far as the named abandonment says, and ends this process without a word to anyone.
func abandon(ctx context.Context, client *txnkv.Client, name string) error {
	for _, way := range abandonments {
		if way.name == name {
			keys, _ := acrossRegions("abandoned/"+name, 4)
			if err := way.until(ctx, client, keys); err != nil {
				return err
			}
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	return fmt.Errorf("no such way to die: %q", name)
}

type outcome struct {
	title string
	err   error
}

// abandonAll runs every way at once, as each waits for a time to live.
func abandonAll(ctx context.Context, client *txnkv.Client) iter.Seq[outcome] {
	outcomes := make(chan outcome, len(abandonments))
	for _, way := range abandonments {
		go func() { outcomes <- outcome{way.title, way.check(ctx, client)} }()
	}
	return func(yield func(outcome) bool) {
		for range abandonments {
			if !yield(<-outcomes) {
				return
			}
		}
	}
}

func (way abandonment) check(ctx context.Context, client *txnkv.Client) error {
	keys, values := acrossRegions("abandoned/"+way.name, 4)
	for i := range values {
		values[i] = k("old")
	}
	if _, err := writeAll(ctx, client, modes[0], keys, values); err != nil {
		return err
	}
	child := exec.Command(os.Args[0], "abandon", "--pd", endpoints, "--how", way.name)
	said, err := child.CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		return fmt.Errorf("the client did not get there: %v: %s", err, said)
	}
	wanted := k("old")
	if way.committed {
		wanted = k("new")
	}
	at, err := now(client)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := sameEverywhere(ctx, client, at, keys, wanted); err != nil {
		return err
	}
	if took := time.Since(begun); took > 20*time.Second {
		return fmt.Errorf("its readers waited for %v", took)
	}
	// Its keys are free again, for both kinds of writers.
	txn, err := begin(client, modes[1])
	if err != nil {
		return err
	}
	if err := lock(ctx, client, txn, kv.LockAlwaysWait, keys...); err != nil {
		return err
	}
	if err := txn.Rollback(); err != nil {
		return err
	}
	_, err = writeAll(ctx, client, modes[0], keys, values)
	return err
}

// sameEverywhere reads each key alone, all of them together, and by a scan: each meets the locks in
// its own way.
func sameEverywhere(ctx context.Context, client *txnkv.Client, at uint64, keys [][]byte, value []byte) error {
	first, last := keys[0], keys[len(keys)-1]
	for key, got := range map[string]func() ([]byte, error){
		"a scan": func() ([]byte, error) {
			it, err := client.GetSnapshot(at).Iter(last, append(last, 0))
			_, values, err := collect(it, err, last, append(last, 0))
			if len(values) == 0 {
				return nil, err
			}
			return values[0], err
		},
		"a get":       func() ([]byte, error) { return valueIn(ctx, client.GetSnapshot(at), first) },
		"a batch get": func() ([]byte, error) { return oneOfBatch(ctx, client, at, keys) },
	} {
		read, err := got()
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if err := same([][]byte{read}, [][]byte{value}); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for _, key := range keys {
		if err := expectAt(ctx, client, at, key, value); err != nil {
			return err
		}
	}
	return nil
}

// oneOfBatch is what all the keys hold; an error if they do not hold the same.
func oneOfBatch(ctx context.Context, client *txnkv.Client, at uint64, keys [][]byte) ([]byte, error) {
	got, err := batchGetFrom(ctx, client.GetSnapshot(at), keys)
	if err != nil {
		return nil, err
	}
	value := got[string(keys[0])]
	for _, key := range keys {
		if err := same([][]byte{got[string(key)]}, [][]byte{value}); err != nil {
			return nil, fmt.Errorf("%q differs from %q: %w", key, keys[0], err)
		}
	}
	return value, nil
}
