package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
)

// transactionRule is one thing that the cluster must do for a transactional client.
type transactionRule struct {
	title string
	check func(ctx context.Context, client *txnkv.Client) error
}

var transactionRules = []transactionRule{
	{"a transaction reads what it wrote, and others read it after its commit only", ownWrites},
	{"every snapshot reads what was committed up to its timestamp, deletions too", snapshots},
	{"keys may hold any bytes", anyKeys},
	{"a batch get brings what is there, from every region", batchGet},
	{"scans go up and down through regions, bounded as asked", scans},
	{"a transaction of thousands of keys is committed whole", manyKeys},
	{"a value of one mebibyte comes back whole from a transaction", bigValue},
	{"of two optimistic transactions that write one key, the second to commit has a conflict", conflict},
	{"an insert of a key that is there is refused", insertPresent},
	{"a transaction that was rolled back leaves nothing", rollback},
	{"an async commit is read by everyone who begins after it", asyncCommit},
	{"a transaction within a region commits in one phase, one across regions in two", onePhase},
	{"two transactions may read what the other writes, unless they lock it", writeSkew},
	{"a region is split under a transaction, which commits all the same", splitUnder},
	{"a delete range leaves no version of its keys, and all others", deleteVersions},
	{"a range is flashed back to what it was, and closed meanwhile", flashBack},
}

func transactions(ctx context.Context, client *txnkv.Client) error {
	failed := 0
	begun := time.Now()
	say := func(title string, err error) {
		if took := time.Since(begun); took > 10*time.Second {
			fmt.Printf("# %v for the next\n", took.Round(time.Millisecond))
		}
		begun = time.Now()
		if err != nil {
			failed++
			fmt.Printf("not ok %s: %v\n", title, err)
		} else {
			fmt.Printf("ok %s\n", title)
		}
	}
	// Two regions already, so that what crosses them crosses processes.
	say("a region is split at a key of the client's", split(ctx, client, k("m")))
	for _, rules := range [][]transactionRule{transactionRules, lockingRules, laterRules} {
		for _, rule := range rules {
			say(rule.title, rule.check(ctx, client))
		}
	}
	for outcome := range abandonAll(ctx, client) {
		say(outcome.title, outcome.err)
	}
	if failed > 0 {
		return fmt.Errorf("%d rules broken", failed)
	}
	return nil
}

func split(ctx context.Context, client *txnkv.Client, key []byte) error {
	_, err := client.SplitRegions(ctx, [][]byte{key}, false, nil)
	if err != nil {
		return err
	}
	// The client learns of it when it next errs, the placement driver at once.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		region, err := client.GetPDClient().GetRegion(ctx, key)
		if err != nil {
			return err
		}
		if bytes.Equal(region.Meta.StartKey, key) {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("no region starts there")
}

func ownWrites(ctx context.Context, client *txnkv.Client) error {
	for i, mode := range modes {
		key, value := k(fmt.Sprintf("own/%d", i)), k(mode.name)
		txn, err := begin(client, mode)
		if err != nil {
			return err
		}
		if err := fill(txn, [][]byte{key}, [][]byte{value}); err != nil {
			return err
		}
		if got, err := valueIn(ctx, txn, key); err != nil || !bytes.Equal(got, value) {
			return fmt.Errorf("%s: it reads %q of its own: %w", mode.name, got, err)
		}
		if err := expectNow(ctx, client, key, nil); err != nil {
			return fmt.Errorf("%s, before the commit: %w", mode.name, err)
		}
		if err := txn.Commit(ctx); err != nil {
			return fmt.Errorf("%s: %w", mode.name, err)
		}
		if err := expectNow(ctx, client, key, value); err != nil {
			return fmt.Errorf("%s: %w", mode.name, err)
		}
	}
	return nil
}

func snapshots(ctx context.Context, client *txnkv.Client) error {
	key := k("versions")
	long := bytes.Repeat([]byte("long "), 1000)
	history := [][]byte{k("first"), long, nil, k("again"), nil}
	moments := []uint64{}
	at, err := now(client)
	if err != nil {
		return err
	}
	for i, value := range history {
		if _, err := writeAll(ctx, client, modes[i%len(modes)], [][]byte{key}, [][]byte{value}); err != nil {
			return err
		}
		moment, err := now(client)
		if err != nil {
			return err
		}
		moments = append(moments, moment)
	}
	if err := expectAt(ctx, client, at, key, nil); err != nil {
		return err
	}
	for i, moment := range moments {
		if err := expectAt(ctx, client, moment, key, history[i]); err != nil {
			return err
		}
		it, err := client.GetSnapshot(moment).Iter(key, append(key, 0))
		_, values, err := collect(it, err, key, append(key, 0))
		if err != nil {
			return err
		}
		present := [][]byte{}
		if history[i] != nil {
			present = append(present, history[i])
		}
		if err := same(values, present); err != nil {
			return fmt.Errorf("scan at %d: %w", moment, err)
		}
	}
	return nil
}

func anyKeys(ctx context.Context, client *txnkv.Client) error {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	keys := [][]byte{append(k("any/"), every...), k("any/\x00"), k("any/\x00\x00\x00\x00\xff"), k("any/\xff\xff")}
	values := [][]byte{every, {0}, {1}, {2}}
	if _, err := writeAll(ctx, client, modes[0], keys, values); err != nil {
		return err
	}
	for i := range keys {
		if err := expectNow(ctx, client, keys[i], values[i]); err != nil {
			return err
		}
	}
	it, err := client.GetSnapshot(math.MaxUint64).Iter(k("any/"), k("any0"))
	got, _, err := collect(it, err, k("any/"), k("any0"))
	if err != nil {
		return err
	}
	return same(got, [][]byte{keys[1], keys[2], keys[0], keys[3]})
}

// acrossRegions are keys on both sides of the split at "m".
func acrossRegions(name string, count int) (keys, values [][]byte) {
	for _, side := range []string{"a", "z"} {
		moreKeys, moreValues := pairs(side+"/"+name, count)
		keys, values = append(keys, moreKeys...), append(values, moreValues...)
	}
	return keys, values
}

func batchGet(ctx context.Context, client *txnkv.Client) error {
	keys, values := acrossRegions("batch", 200)
	if _, err := writeAll(ctx, client, modes[0], keys, values); err != nil {
		return err
	}
	at, err := now(client)
	if err != nil {
		return err
	}
	asked := append([][]byte{k("a/absent"), k("z/absent")}, keys...)
	got, err := batchGetFrom(ctx, client.GetSnapshot(at), asked)
	if err != nil {
		return err
	}
	if len(got) != len(keys) {
		return fmt.Errorf("%d values for %d keys", len(got), len(keys))
	}
	for i, key := range keys {
		if !bytes.Equal(got[string(key)], values[i]) {
			return fmt.Errorf("%q for %q", got[string(key)], key)
		}
	}
	return nil
}

func scans(ctx context.Context, client *txnkv.Client) error {
	keys, values := acrossRegions("scan", 300)
	if _, err := writeAll(ctx, client, modes[0], keys, values); err != nil {
		return err
	}
	at, err := now(client)
	if err != nil {
		return err
	}
	first, last := 150, 450
	snapshot := client.GetSnapshot(at)
	it, err := snapshot.Iter(keys[first], keys[last])
	gotKeys, gotValues, err := collect(it, err, nil, k("\xff"))
	if err != nil {
		return err
	}
	gotKeys, gotValues = only(gotKeys, gotValues, "scan/")
	if err := errors.Join(same(gotKeys, keys[first:last]), same(gotValues, values[first:last])); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	down, err := descend(snapshot, keys[last], keys[first])
	gotKeys, gotValues, err = collect(down, err, keys[first], k("\xff"))
	if err != nil {
		return err
	}
	gotKeys, gotValues = only(gotKeys, gotValues, "scan/")
	reverse(gotKeys)
	reverse(gotValues)
	if err := errors.Join(same(gotKeys, keys[first:last]), same(gotValues, values[first:last])); err != nil {
		return fmt.Errorf("down: %w", err)
	}
	snapshot.SetKeyOnly(true)
	it, err = snapshot.Iter(keys[first], keys[first+3])
	gotKeys, gotValues, err = collect(it, err, nil, k("\xff"))
	if err != nil {
		return err
	}
	return errors.Join(same(gotKeys, keys[first:first+3]), same(gotValues, [][]byte{{}, {}, {}}))
}

// only keeps the pairs whose key has a part.
func only(keys, values [][]byte, part string) (keptKeys, keptValues [][]byte) {
	for i, key := range keys {
		if bytes.Contains(key, []byte(part)) {
			keptKeys, keptValues = append(keptKeys, key), append(keptValues, values[i])
		}
	}
	return keptKeys, keptValues
}

func reverse(items [][]byte) {
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
}

func manyKeys(ctx context.Context, client *txnkv.Client) error {
	keys, values := acrossRegions("many", 2000)
	if _, err := writeAll(ctx, client, modes[0], keys, values); err != nil {
		return err
	}
	for _, side := range []string{"a", "z"} {
		count, err := countKeys(ctx, client, k(side+"/many/"), k(side+"/many0"))
		if err != nil {
			return err
		}
		if count != 2000 {
			return fmt.Errorf("%d keys in %s, not 2000", count, side)
		}
	}
	return nil
}

func bigValue(ctx context.Context, client *txnkv.Client) error {
	value := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if _, err := writeAll(ctx, client, modes[0], [][]byte{k("big")}, [][]byte{value}); err != nil {
		return err
	}
	return expectNow(ctx, client, k("big"), value)
}

func conflict(ctx context.Context, client *txnkv.Client) error {
	key := k("conflict")
	for _, mode := range []mode{modes[0], modes[2], modes[3]} {
		slow, err := begin(client, mode)
		if err != nil {
			return err
		}
		quick, err := writeAll(ctx, client, mode, [][]byte{key}, [][]byte{k("quick")})
		if err != nil {
			return err
		}
		if err := slow.Set(key, k("slow")); err != nil {
			return err
		}
		err = slow.Commit(ctx)
		var refused *tikverr.ErrWriteConflict
		if !errors.As(err, &refused) {
			return fmt.Errorf("%s: %v is no conflict", mode.name, err)
		}
		// Of a younger transaction whose lock is still there the client makes a conflict by itself,
		// without asking what becomes of it.
		untold := mode.asyncCommit && refused.ConflictCommitTs == 0
		if refused.ConflictTs != quick.StartTS() || refused.StartTs != slow.StartTS() ||
			!untold && refused.ConflictCommitTs <= slow.StartTS() {
			return fmt.Errorf("%s: %v does not name %d", mode.name, err, quick.StartTS())
		}
		if err := expectNow(ctx, client, key, k("quick")); err != nil {
			return err
		}
	}
	return nil
}

func insertPresent(ctx context.Context, client *txnkv.Client) error {
	insert := func(value string) error {
		txn, err := client.Begin()
		if err != nil {
			return err
		}
		if err := txn.GetMemBuffer().SetWithFlags(k("insert"), k(value), kv.SetPresumeKeyNotExists); err != nil {
			return err
		}
		return txn.Commit(ctx)
	}
	if err := insert("first"); err != nil {
		return err
	}
	if err := insert("second"); !tikverr.IsErrKeyExist(err) {
		return fmt.Errorf("%v does not say that the key is there", err)
	}
	return expectNow(ctx, client, k("insert"), k("first"))
}

func rollback(ctx context.Context, client *txnkv.Client) error {
	for _, mode := range modes[:2] {
		txn, err := begin(client, mode)
		if err != nil {
			return err
		}
		if mode.pessimistic {
			if err := lock(ctx, client, txn, kv.LockAlwaysWait, k("rolled")); err != nil {
				return err
			}
		}
		if err := txn.Set(k("rolled"), k("back")); err != nil {
			return err
		}
		if err := txn.Rollback(); err != nil {
			return err
		}
		if err := expectNow(ctx, client, k("rolled"), nil); err != nil {
			return err
		}
	}
	_, err := writeAll(ctx, client, modes[1], [][]byte{k("rolled")}, [][]byte{k("forth")})
	return err
}

func asyncCommit(ctx context.Context, client *txnkv.Client) error {
	for i := range 20 {
		keys, values := acrossRegions(fmt.Sprintf("async/%d", i), 2)
		txn, err := writeAll(ctx, client, modes[2], keys, values)
		if err != nil {
			return err
		}
		if !(transaction.TxnProbe{KVTxn: txn}).IsAsyncCommit() {
			return errors.New("it was committed in two phases")
		}
		at, err := now(client)
		if err != nil {
			return err
		}
		got, err := batchGetFrom(ctx, client.GetSnapshot(at), keys)
		if err != nil {
			return err
		}
		if len(got) != len(keys) {
			return fmt.Errorf("%d of %d keys are read", len(got), len(keys))
		}
	}
	return nil
}

func onePhase(ctx context.Context, client *txnkv.Client) error {
	keys, values := pairs("a/onephase", 4)
	within, err := writeAll(ctx, client, modes[3], keys, values)
	if err != nil {
		return err
	}
	committer := transaction.TxnProbe{KVTxn: within}.GetCommitter()
	if !committer.IsOnePC() || committer.GetOnePCCommitTS() <= within.StartTS() {
		return fmt.Errorf("within a region: one phase %v, at %d", committer.IsOnePC(), committer.GetOnePCCommitTS())
	}
	if err := expectNow(ctx, client, keys[3], values[3]); err != nil {
		return err
	}
	keys, values = acrossRegions("onephase", 4)
	across, err := writeAll(ctx, client, modes[3], keys, values)
	if err != nil {
		return err
	}
	if (transaction.TxnProbe{KVTxn: across}).GetCommitter().IsOnePC() {
		return errors.New("across regions in one phase")
	}
	return expectNow(ctx, client, keys[7], values[7])
}

// writeSkew: snapshot isolation allows it, and locking what was read prevents it.
func writeSkew(ctx context.Context, client *txnkv.Client) error {
	left, right := k("skew/left"), k("skew/right")
	for _, locked := range []bool{false, true} {
		if _, err := writeAll(ctx, client, modes[0], [][]byte{left, right}, [][]byte{k("1"), k("1")}); err != nil {
			return err
		}
		outcomes := [2]error{}
		txns := [2]*transaction.KVTxn{}
		for i, keys := range [2][2][]byte{{left, right}, {right, left}} {
			txn, err := client.Begin()
			if err != nil {
				return err
			}
			if _, err := valueIn(ctx, txn, keys[0]); err != nil {
				return err
			}
			if locked {
				if err := txn.LockKeys(ctx, kv.NewLockCtx(0, kv.LockAlwaysWait, time.Now()), keys[0]); err != nil {
					return err
				}
			}
			if err := txn.Set(keys[1], k("0")); err != nil {
				return err
			}
			txns[i] = txn
		}
		for i, txn := range txns {
			outcomes[i] = txn.Commit(ctx)
		}
		if outcomes[0] != nil || tikverr.IsErrWriteConflict(outcomes[1]) != locked {
			return fmt.Errorf("locked %v: %v and %v", locked, outcomes[0], outcomes[1])
		}
	}
	return nil
}

func splitUnder(ctx context.Context, client *txnkv.Client) error {
	for i, mode := range modes {
		keys, values := pairs(fmt.Sprintf("t/split%d", i), 100)
		txn, err := begin(client, mode)
		if err != nil {
			return err
		}
		if mode.pessimistic {
			if err := lock(ctx, client, txn, kv.LockAlwaysWait, keys...); err != nil {
				return err
			}
		}
		if err := fill(txn, keys, values); err != nil {
			return err
		}
		other, err := connectTransactions(endpoints)
		if err != nil {
			return err
		}
		if _, err := other.SplitRegions(ctx, [][]byte{keys[30], keys[60]}, false, nil); err != nil {
			return err
		}
		if err := txn.Commit(ctx); err != nil {
			return fmt.Errorf("%s: %w", mode.name, err)
		}
		count, err := countKeys(ctx, other, keys[0], k(fmt.Sprintf("t/split%d0", i)))
		if err != nil {
			return err
		}
		if count != len(keys) {
			return fmt.Errorf("%s: %d keys, not %d", mode.name, count, len(keys))
		}
		if err := other.Close(); err != nil {
			return err
		}
	}
	return nil
}

func deleteVersions(ctx context.Context, client *txnkv.Client) error {
	keys, values := acrossRegions("erase", 20)
	for range 2 {
		if _, err := writeAll(ctx, client, modes[0], keys, values); err != nil {
			return err
		}
	}
	if _, err := client.DeleteRange(ctx, k("a/erase/00005"), k("a/erase0"), 2); err != nil {
		return err
	}
	count, err := countKeys(ctx, client, k("a/erase/"), k("a/erase0"))
	if err != nil {
		return err
	}
	if count != 5 {
		return fmt.Errorf("%d keys were left, not 5", count)
	}
	return expectNow(ctx, client, keys[39], values[39])
}
