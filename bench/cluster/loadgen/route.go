package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// route says where a key's leader is and which context a request to it must carry.
type route struct {
	region  *metapb.Region
	context *kvrpcpb.Context
	address string
}

func (route *route) holds(key []byte) bool {
	return bytes.Compare(key, route.region.StartKey) >= 0 &&
		(len(route.region.EndKey) == 0 || bytes.Compare(key, route.region.EndKey) < 0)
}

// routes is a cache of regions, filled from PD and emptied by region errors.
type routes struct {
	pd      pdpb.PDClient
	cluster uint64

	lock  sync.RWMutex
	known []*route
}

// dial opens one plaintext connection for kvproto messages; windows as TiKV's Go client sets them.
func dial(address string) (*grpc.ClientConn, error) {
	const window = 128 << 20
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{})))
}

// newRoutes asks the endpoints for the cluster and its PD leader.
func newRoutes(ctx context.Context, endpoints []string) (*routes, error) {
	var last error
	for _, endpoint := range endpoints {
		connection, err := dial(endpoint)
		if err != nil {
			return nil, err
		}
		members, err := pdpb.NewPDClient(connection).GetMembers(ctx, &pdpb.GetMembersRequest{})
		if err != nil {
			last = err
			continue
		}
		leader := members.GetLeader().GetClientUrls()
		if len(leader) == 0 {
			last = fmt.Errorf("PD %s knows no leader", endpoint)
			continue
		}
		if connection, err = dial(stripScheme(leader[0])); err != nil {
			return nil, err
		}
		return &routes{pd: pdpb.NewPDClient(connection), cluster: members.Header.ClusterId}, nil
	}
	return nil, last
}

func stripScheme(url string) string {
	if _, rest, found := bytes.Cut([]byte(url), []byte("://")); found {
		return string(rest)
	}
	return url
}

func (routes *routes) find(ctx context.Context, key []byte) (*route, error) {
	routes.lock.RLock()
	for _, route := range routes.known {
		if route.holds(key) {
			routes.lock.RUnlock()
			return route, nil
		}
	}
	routes.lock.RUnlock()

	routes.lock.Lock()
	defer routes.lock.Unlock()
	for _, route := range routes.known {
		if route.holds(key) {
			return route, nil
		}
	}
	found, err := routes.load(ctx, key)
	if err == nil {
		routes.known = append(routes.known, found)
	}
	return found, err
}

// load asks PD until the key's region has a leader, for at most ten seconds.
func (routes *routes) load(ctx context.Context, key []byte) (*route, error) {
	header := &pdpb.RequestHeader{ClusterId: routes.cluster}
	deadline := time.Now().Add(10 * time.Second)
	for {
		answer, err := routes.pd.GetRegion(ctx, &pdpb.GetRegionRequest{Header: header, RegionKey: key})
		if err != nil {
			return nil, err
		}
		if answer.GetLeader().GetStoreId() != 0 {
			store, err := routes.pd.GetStore(ctx, &pdpb.GetStoreRequest{Header: header, StoreId: answer.Leader.StoreId})
			if err != nil {
				return nil, err
			}
			return &route{
				region: answer.Region,
				context: &kvrpcpb.Context{
					RegionId: answer.Region.Id, RegionEpoch: answer.Region.RegionEpoch, Peer: answer.Leader,
				},
				address: store.GetStore().GetAddress(),
			}, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("no leader for %q: %v", key, answer.GetHeader().GetError())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (routes *routes) forget(stale *route) {
	routes.lock.Lock()
	defer routes.lock.Unlock()
	for i, route := range routes.known {
		if route == stale {
			routes.known = append(routes.known[:i:i], routes.known[i+1:]...)
			return
		}
	}
}
