package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
)

// iterator is what the client's iterators have in every version.
type iterator interface {
	Valid() bool
	Key() []byte
	Value() []byte
	Next() error
	Close()
}

func connectTransactions(pd string) (*txnkv.Client, error) {
	client, err := txnkv.NewClient(strings.Split(pd, ","))
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", pd, err)
	}
	return client, nil
}

// valueIn is what a source holds for a key, nil if nothing.
func valueIn(ctx context.Context, from source, key []byte) ([]byte, error) {
	value, err := getFrom(ctx, from, key)
	if tikverr.IsErrNotFound(err) {
		return nil, nil
	}
	return value, err
}

// collect drains an iterator until a key is outside of [start, end).
func collect(it iterator, err error, start, end []byte) (keys, values [][]byte, _ error) {
	if err != nil {
		return nil, nil, err
	}
	defer it.Close()
	for it.Valid() && string(it.Key()) >= string(start) && string(it.Key()) < string(end) {
		keys = append(keys, append([]byte{}, it.Key()...))
		values = append(values, append([]byte{}, it.Value()...))
		if err := it.Next(); err != nil {
			return nil, nil, err
		}
	}
	return keys, values, nil
}

// now is a timestamp whose snapshot holds all that was committed before the call.
func now(client *txnkv.Client) (uint64, error) {
	return client.CurrentTimestamp("global")
}

func countKeys(ctx context.Context, client *txnkv.Client, start, end []byte) (int, error) {
	at, err := now(client)
	if err != nil {
		return 0, err
	}
	it, err := client.GetSnapshot(at).Iter(start, end)
	keys, _, err := collect(it, err, start, end)
	return len(keys), err
}

// expectNow checks what a snapshot of this moment holds for a key; nil is nothing.
func expectNow(ctx context.Context, client *txnkv.Client, key, value []byte) error {
	at, err := now(client)
	if err != nil {
		return err
	}
	return expectAt(ctx, client, at, key, value)
}

func expectAt(ctx context.Context, client *txnkv.Client, at uint64, key, value []byte) error {
	got, err := valueIn(ctx, client.GetSnapshot(at), key)
	if err != nil {
		return err
	}
	if err := same([][]byte{got}, [][]byte{value}); err != nil {
		return fmt.Errorf("%.40q at %d: %w", key, at, err)
	}
	return nil
}

// mode is how a transaction locks and commits.
type mode struct {
	name                            string
	pessimistic, asyncCommit, onePC bool
}

var modes = []mode{
	{name: "optimistic"},
	{name: "pessimistic", pessimistic: true},
	{name: "async commit", asyncCommit: true},
	{name: "one phase", onePC: true},
	{name: "pessimistic async commit", pessimistic: true, asyncCommit: true},
	{name: "pessimistic one phase", pessimistic: true, onePC: true},
}

func begin(client *txnkv.Client, mode mode) (*transaction.KVTxn, error) {
	txn, err := client.Begin()
	if err != nil {
		return nil, err
	}
	txn.SetPessimistic(mode.pessimistic)
	txn.SetEnableAsyncCommit(mode.asyncCommit)
	txn.SetEnable1PC(mode.onePC)
	return txn, nil
}

// writeAll commits the pairs in one transaction; a nil value deletes.
func writeAll(ctx context.Context, client *txnkv.Client, mode mode, keys, values [][]byte) (*transaction.KVTxn, error) {
	txn, err := begin(client, mode)
	if err != nil {
		return nil, err
	}
	if err := fill(txn, keys, values); err != nil {
		return nil, errors.Join(err, txn.Rollback())
	}
	return txn, txn.Commit(ctx)
}

func fill(txn *transaction.KVTxn, keys, values [][]byte) error {
	for i, key := range keys {
		var err error
		if values[i] == nil {
			err = txn.Delete(key)
		} else {
			err = txn.Set(key, values[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
