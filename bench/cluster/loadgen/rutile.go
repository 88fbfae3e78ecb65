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
)

// attempts bounds the retries of one command after region errors: a leader may be being elected.
const attempts = 100

// rutile speaks TiKV's raw API to the leader of each key's region.
type rutile struct {
	routes      *routes
	connections int
	batched     bool

	lock   sync.RWMutex
	stores map[string][]*link
}

// link is one connection to one store, with the batch stream on it if there is one.
type link struct {
	client  tikvpb.TikvClient
	batches *batches
	close   func() error
}

// OpenRutile finds the cluster through PD.
func OpenRutile(ctx context.Context, endpoints []string, connections int, batched bool) (Store, error) {
	routes, err := newRoutes(ctx, endpoints)
	if err != nil {
		return nil, err
	}
	return &rutile{routes: routes, connections: connections, batched: batched, stores: map[string][]*link{}}, nil
}

func (store *rutile) Put(ctx context.Context, connection int, key, value []byte) error {
	return store.retry(ctx, connection, key, func(link *link, route *route) (*errorpb.Error, error) {
		request := &kvrpcpb.RawPutRequest{Context: route.context, Key: key, Value: value}
		var answer *kvrpcpb.RawPutResponse
		var err error
		if link.batches != nil {
			var reply *tikvpb.BatchCommandsResponse_Response
			reply, err = link.batches.call(&tikvpb.BatchCommandsRequest_Request{
				Cmd: &tikvpb.BatchCommandsRequest_Request_RawPut{RawPut: request},
			})
			answer = reply.GetRawPut()
		} else {
			answer, err = link.client.RawPut(ctx, request)
		}
		if err == nil && answer.GetError() != "" {
			err = errors.New(answer.Error)
		}
		return answer.GetRegionError(), err
	})
}

func (store *rutile) Get(ctx context.Context, connection int, key []byte) error {
	return store.retry(ctx, connection, key, func(link *link, route *route) (*errorpb.Error, error) {
		request := &kvrpcpb.RawGetRequest{Context: route.context, Key: key}
		var answer *kvrpcpb.RawGetResponse
		var err error
		if link.batches != nil {
			var reply *tikvpb.BatchCommandsResponse_Response
			reply, err = link.batches.call(&tikvpb.BatchCommandsRequest_Request{
				Cmd: &tikvpb.BatchCommandsRequest_Request_RawGet{RawGet: request},
			})
			answer = reply.GetRawGet()
		} else {
			answer, err = link.client.RawGet(ctx, request)
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
	ctx context.Context, connection int, key []byte,
	send func(*link, *route) (*errorpb.Error, error),
) error {
	var wrong *errorpb.Error
	for range attempts {
		route, err := store.routes.find(ctx, key)
		if err != nil {
			return err
		}
		link, err := store.link(route.address, connection)
		if err != nil {
			return err
		}
		if wrong, err = send(link, route); err != nil {
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

func (store *rutile) link(address string, connection int) (*link, error) {
	store.lock.RLock()
	links := store.stores[address]
	store.lock.RUnlock()
	if links != nil {
		return links[connection], nil
	}
	store.lock.Lock()
	defer store.lock.Unlock()
	if links = store.stores[address]; links != nil {
		return links[connection], nil
	}
	for range store.connections {
		opened, err := dial(address)
		if err != nil {
			return nil, err
		}
		link := &link{client: tikvpb.NewTikvClient(opened), close: opened.Close}
		if store.batched {
			if link.batches, err = openBatches(link.client); err != nil {
				return nil, err
			}
		}
		links = append(links, link)
	}
	store.stores[address] = links
	return links[connection], nil
}

func (store *rutile) Close() {
	for _, links := range store.stores {
		for _, link := range links {
			link.close()
		}
	}
}
