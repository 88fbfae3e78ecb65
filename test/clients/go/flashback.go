package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pingcap/kvproto/pkg/errorpb"
	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/tikvrpc"
	"github.com/tikv/client-go/v2/txnkv"
)

// flashBack takes a range back to what it was. The client has both calls, and no function over them:
// TiDB makes them for its FLASHBACK.
func flashBack(ctx context.Context, client *txnkv.Client) error {
	keys := [][]byte{k("flash/1"), k("flash/2"), k("flash/3")}
	mode := modes[0]
	if _, err := writeAll(ctx, client, mode, keys[:2], [][]byte{k("old"), k("old")}); err != nil {
		return err
	}
	version, err := now(client)
	if err != nil {
		return err
	}
	if _, err := writeAll(ctx, client, mode, keys[1:], [][]byte{k("new"), k("new")}); err != nil {
		return err
	}
	started, err := now(client)
	if err != nil {
		return err
	}
	start, end := k("flash/"), k("flash0")
	prepare := tikvrpc.NewRequest(tikvrpc.CmdPrepareFlashbackToVersion, &kvrpcpb.PrepareFlashbackToVersionRequest{
		StartKey: start, EndKey: end, StartTs: started, Version: version,
	})
	if err := sendFlashback(ctx, client, prepare, start); err != nil {
		return fmt.Errorf("preparing: %w", err)
	}
	if err := expectAt(ctx, client, started-1, keys[1], k("new")); err != nil {
		return fmt.Errorf("a read from before: %w", err)
	}
	if err := expectNow(ctx, client, keys[1], k("new")); err == nil {
		return errors.New("a region that is being flashed back is read")
	}
	finished, err := now(client)
	if err != nil {
		return err
	}
	finish := tikvrpc.NewRequest(tikvrpc.CmdFlashbackToVersion, &kvrpcpb.FlashbackToVersionRequest{
		StartKey: start, EndKey: end, StartTs: started, CommitTs: finished, Version: version,
	})
	// Twice: the second time it is done already.
	for range 2 {
		if err := sendFlashback(ctx, client, finish, start); err != nil {
			return fmt.Errorf("flashing back: %w", err)
		}
	}
	for i, value := range [][]byte{k("old"), k("old"), nil} {
		if err := expectNow(ctx, client, keys[i], value); err != nil {
			return err
		}
	}
	return expectAt(ctx, client, started, keys[2], k("new"))
}

// sendFlashback sends a call to the region of a key, and again while the client has to learn where
// that is.
func sendFlashback(ctx context.Context, client *txnkv.Client, request *tikvrpc.Request, key []byte) error {
	bo := tikv.NewBackofferWithVars(ctx, 20_000, nil)
	for {
		location, err := client.GetRegionCache().LocateKey(bo, key)
		if err != nil {
			return err
		}
		response, err := client.SendReq(bo, request, location.Region, 5*time.Second)
		if err != nil {
			return err
		}
		answer := response.Resp.(interface {
			GetRegionError() *errorpb.Error
			GetError() string
		})
		if problem := answer.GetRegionError(); problem == nil {
			if text := answer.GetError(); text != "" {
				return errors.New(text)
			}
			return nil
		} else if err := bo.Backoff(tikv.BoRegionMiss(), errors.New(problem.String())); err != nil {
			return err
		}
	}
}
