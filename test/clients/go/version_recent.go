//go:build recent

package main

import (
	"context"
	"fmt"

	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
	"github.com/tikv/client-go/v2/txnkv/txnsnapshot"
)

// What later versions of the client say in another way than the last tagged release.

// source is a transaction or a snapshot.
type source interface {
	Get(ctx context.Context, key []byte, options ...kv.GetOption) (kv.ValueEntry, error)
	BatchGet(ctx context.Context, keys [][]byte, options ...kv.BatchGetOption) (map[string]kv.ValueEntry, error)
}

func getFrom(ctx context.Context, from source, key []byte) ([]byte, error) {
	entry, err := from.Get(ctx, key)
	return entry.Value, err
}

func batchGetFrom(ctx context.Context, from source, keys [][]byte) (map[string][]byte, error) {
	entries, err := from.BatchGet(ctx, keys)
	values := map[string][]byte{}
	for key, entry := range entries {
		values[key] = entry.Value
	}
	return values, err
}

func descend(from source, end, start []byte) (iterator, error) {
	switch from := from.(type) {
	case *transaction.KVTxn:
		return from.IterReverse(end, start)
	case *txnsnapshot.KVSnapshot:
		return from.IterReverse(end, start)
	default:
		panic("neither a transaction nor a snapshot")
	}
}

// laterRules are those of operations that the last tagged release does not know.
var laterRules = []transactionRule{
	{"a get asked for it tells when its value was committed", commitTimestamps},
	{"a pipelined transaction flushes as it grows, reads what it flushed, and commits all of it", pipelined},
	{"a pipelined transaction that is rolled back leaves nothing", pipelinedRollback},
}

func commitTimestamps(ctx context.Context, client *txnkv.Client) error {
	txn, err := client.Begin()
	if err != nil {
		return err
	}
	if err := txn.Set(k("stamped"), k("value")); err != nil {
		return err
	}
	if err := txn.Commit(ctx); err != nil {
		return err
	}
	later, err := client.Begin()
	if err != nil {
		return err
	}
	defer later.Rollback()
	entry, err := later.GetSnapshot().Get(ctx, k("stamped"), kv.WithReturnCommitTS())
	if err != nil {
		return err
	}
	if entry.CommitTS != txn.CommitTS() {
		return fmt.Errorf("committed at %d, and the get says %d", txn.CommitTS(), entry.CommitTS)
	}
	return nil
}

// pipelinedKeys are so many that the client flushes several times before the commit.
const pipelinedKeys = 30_000

func pipelined(ctx context.Context, client *txnkv.Client) error {
	txn, err := fillPipelined(ctx, client, "pipelined")
	if err != nil {
		return err
	}
	keys, values := pairs("pipelined", pipelinedKeys)
	for i := 0; i < pipelinedKeys; i += 997 {
		got, err := getFrom(ctx, txn, keys[i])
		if err != nil {
			return fmt.Errorf("its own %q: %w", keys[i], err)
		}
		if err := same([][]byte{got}, [][]byte{values[i]}); err != nil {
			return err
		}
	}
	if err := txn.Commit(ctx); err != nil {
		return err
	}
	count, err := countKeys(ctx, client, k("pipelined/"), k("pipelined0"))
	if err != nil {
		return err
	}
	if count != pipelinedKeys {
		return fmt.Errorf("%d keys, not %d", count, pipelinedKeys)
	}
	return nil
}

func pipelinedRollback(ctx context.Context, client *txnkv.Client) error {
	txn, err := fillPipelined(ctx, client, "withdrawn")
	if err != nil {
		return err
	}
	if err := txn.Rollback(); err != nil {
		return err
	}
	count, err := countKeys(ctx, client, k("withdrawn/"), k("withdrawn0"))
	if err != nil {
		return err
	}
	if count != 0 {
		return fmt.Errorf("%d keys were left", count)
	}
	return nil
}

func fillPipelined(ctx context.Context, client *txnkv.Client, name string) (*transaction.KVTxn, error) {
	txn, err := client.Begin(tikv.WithDefaultPipelinedTxn())
	if err != nil {
		return nil, err
	}
	keys, values := pairs(name, pipelinedKeys)
	for i := range keys {
		if err := txn.Set(keys[i], values[i]); err != nil {
			return nil, err
		}
		if _, err := txn.GetMemBuffer().Flush(i == pipelinedKeys/2); err != nil {
			return nil, err
		}
	}
	return txn, txn.GetMemBuffer().FlushWait()
}
