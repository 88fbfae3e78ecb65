package main

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// etcd holds one official client for each connection, all to the same member.
type etcd struct {
	clients []*clientv3.Client
}

// OpenEtcd connects to the given member only: the leader's own endpoint is etcd's best case.
func OpenEtcd(endpoints []string, connections int) (Store, error) {
	store := &etcd{}
	for range connections {
		client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 10 * time.Second})
		if err != nil {
			return nil, err
		}
		store.clients = append(store.clients, client)
	}
	return store, nil
}

func (store *etcd) Put(ctx context.Context, connection int, key, value []byte) error {
	_, err := store.clients[connection].Put(ctx, string(key), string(value))
	return err
}

// Fill puts all keys in one transaction; a member takes up to 128 operations in one.
func (store *etcd) Fill(ctx context.Context, connection int, keys [][]byte, value []byte) error {
	puts := make([]clientv3.Op, len(keys))
	for i, key := range keys {
		puts[i] = clientv3.OpPut(string(key), string(value))
	}
	_, err := store.clients[connection].Txn(ctx).Then(puts...).Commit()
	return err
}

func (store *etcd) Get(ctx context.Context, connection int, key []byte) error {
	answer, err := store.clients[connection].Get(ctx, string(key))
	if err == nil && len(answer.Kvs) == 0 {
		return fmt.Errorf("key %s is missing", key)
	}
	return err
}

// BatchSize: every call is a message of its own.
func (store *etcd) BatchSize() float64 { return 0 }

func (store *etcd) Close() {
	for _, client := range store.clients {
		client.Close()
	}
}
