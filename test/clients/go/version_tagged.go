//go:build !recent

package main

import (
	"context"

	"github.com/tikv/client-go/v2/txnkv/transaction"
	"github.com/tikv/client-go/v2/txnkv/txnsnapshot"
)

// What the last tagged release says in another way than later versions of the client.

// source is a transaction or a snapshot.
type source interface {
	Get(ctx context.Context, key []byte) ([]byte, error)
	BatchGet(ctx context.Context, keys [][]byte) (map[string][]byte, error)
}

func getFrom(ctx context.Context, from source, key []byte) ([]byte, error) {
	return from.Get(ctx, key)
}

func batchGetFrom(ctx context.Context, from source, keys [][]byte) (map[string][]byte, error) {
	return from.BatchGet(ctx, keys)
}

// descend: this version's reverse iterators have no lower bound.
func descend(from source, end, _ []byte) (iterator, error) {
	switch from := from.(type) {
	case *transaction.KVTxn:
		return from.IterReverse(end)
	case *txnsnapshot.KVSnapshot:
		return from.IterReverse(end)
	default:
		panic("neither a transaction nor a snapshot")
	}
}

// laterRules are those of operations that this version does not know.
var laterRules []transactionRule
