package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/errorpb"
	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/pingcap/kvproto/pkg/tikvpb"
	"google.golang.org/grpc"
)

// attempts bounds the retries of one command after region errors: a leader may be being elected.
const attempts = 100

// rutile speaks TiKV's raw API to the leader of each key's region.
type rutile struct {
	routes      *routes
	connections int
	batched     bool

	lock   sync.RWMutex
	stores map[string]*server
}

// server is one store: its connections, and the batches over them if commands are batched.
type server struct {
	connections []*grpc.ClientConn
	clients     []tikvpb.TikvClient
	batches     *batches
}

// OpenRutile finds the cluster through PD.
func OpenRutile(ctx context.Context, endpoints []string, connections int, batched bool) (Store, error) {
	routes, err := newRoutes(ctx, endpoints)
	if err != nil {
		return nil, err
	}
	return &rutile{routes: routes, connections: connections, batched: batched, stores: map[string]*server{}}, nil
}

func (store *rutile) Put(ctx context.Context, connection int, key, value []byte) error {
	return store.retry(ctx, key, func(server *server, route *route) (*errorpb.Error, error) {
		request := &kvrpcpb.RawPutRequest{Context: route.context, Key: key, Value: value}
		var answer *kvrpcpb.RawPutResponse
		var err error
		if server.batches != nil {
			var reply *tikvpb.BatchCommandsResponse_Response
			reply, err = server.batches.call(&tikvpb.BatchCommandsRequest_Request{
				Cmd: &tikvpb.BatchCommandsRequest_Request_RawPut{RawPut: request},
			})
			answer = reply.GetRawPut()
		} else {
			answer, err = server.clients[connection].RawPut(ctx, request)
		}
		if err == nil && answer.GetError() != "" {
			err = errors.New(answer.Error)
		}
		return answer.GetRegionError(), err
	})
}

func (store *rutile) Get(ctx context.Context, connection int, key []byte) error {
	return store.retry(ctx, key, func(server *server, route *route) (*errorpb.Error, error) {
		request := &kvrpcpb.RawGetRequest{Context: route.context, Key: key}
		var answer *kvrpcpb.RawGetResponse
		var err error
		if server.batches != nil {
			var reply *tikvpb.BatchCommandsResponse_Response
			reply, err = server.batches.call(&tikvpb.BatchCommandsRequest_Request{
				Cmd: &tikvpb.BatchCommandsRequest_Request_RawGet{RawGet: request},
			})
			answer = reply.GetRawGet()
		} else {
			answer, err = server.clients[connection].RawGet(ctx, request)
		}
		switch {
		case err != nil || answer.GetRegionError() != nil:
		case answer.GetError() != "":
			err = errors.New(answer.Error)
		case answer.GetNotFound() || len(answer.GetValue()) == 0:
			err = fmt.Errorf("key %s is missing", key)
		}
		return answer.GetRegionError(), err
	})
}

// retry sends to the leader that is known, and asks PD again after a region error.
func (store *rutile) retry(
	ctx context.Context, key []byte,
	send func(*server, *route) (*errorpb.Error, error),
) error {
	var wrong *errorpb.Error
	for range attempts {
		route, err := store.routes.find(ctx, key)
		if err != nil {
			return err
		}
		server, err := store.server(route.address)
		if err != nil {
			return err
		}
		if wrong, err = send(server, route); err != nil {
			return err
		}
		if wrong == nil {
			return nil
		}
		store.routes.forget(route)
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("region error: %v", wrong)
}

// server connects to a store when it is first needed.
func (store *rutile) server(address string) (*server, error) {
	store.lock.RLock()
	known := store.stores[address]
	store.lock.RUnlock()
	if known != nil {
		return known, nil
	}
	store.lock.Lock()
	defer store.lock.Unlock()
	if known = store.stores[address]; known != nil {
		return known, nil
	}
	opened := &server{}
	for range store.connections {
		connection, err := dial(address)
		if err != nil {
			return nil, err
		}
		opened.connections = append(opened.connections, connection)
		opened.clients = append(opened.clients, tikvpb.NewTikvClient(connection))
	}
	if store.batched {
		var err error
		if opened.batches, err = openBatches(opened.clients); err != nil {
			return nil, err
		}
	}
	store.stores[address] = opened
	return opened, nil
}

// BatchSize is the mean number of commands in a message so far; 0 when they go alone.
func (store *rutile) BatchSize() float64 {
	var messages, commands int64
	for _, server := range store.stores {
		if server.batches != nil {
			messages += server.batches.messages.Load()
			commands += server.batches.commands.Load()
		}
	}
	if messages == 0 {
		return 0
	}
	return float64(commands) / float64(messages)
}

func (store *rutile) Close() {
	for _, server := range store.stores {
		for _, connection := range server.connections {
			connection.Close()
		}
	}
}
