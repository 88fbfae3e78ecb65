// The official Go client, client-go's rawkv and txnkv, against a running cluster. Each subcommand is
// one part of what test/clients drives; it exits 0 when the cluster did what TiKV does.
//
//	operations    every raw operation once, one line "ok …" or "not ok …" for each rule
//	write         a stream of writes whose acknowledged outcomes go to a file, until standard input ends
//	verify        reads back what the file says was acknowledged
//	leader        prints the address of the store that leads the region of a key
//	transactions  the rules of transactions, as operations has those of raw keys
//	bank          transfers between accounts until standard input ends, their outcomes in a file
//	audit         compares the accounts with the file
//	abandon       begins a transaction and dies in the middle of its commit, as --how says
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/pingcap/log"
	"github.com/tikv/client-go/v2/config"
	"github.com/tikv/client-go/v2/rawkv"
	"go.uber.org/zap"
)

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("which subcommand?"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	pd := flags.String("pd", "", "PD's client addresses, joined with commas")
	file := flags.String("file", "", "where acknowledged writes are recorded")
	prefix := flags.String("prefix", "stream", "what the keys of the stream begin with")
	writers := flags.Int("writers", 16, "concurrent writers of the stream")
	size := flags.Int("size", 0, "bytes that each value of the stream has at least")
	key := flags.String("key", "", "a key")
	how := flags.String("how", "", "the way to die")
	if err := flags.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	// The client logs every reconnection; with servers being killed that is noise.
	log.ReplaceGlobals(zap.NewNop(), &log.ZapProperties{Level: zap.NewAtomicLevel()})

	ctx, cancel := context.WithTimeout(context.Background(), 24*time.Hour)
	defer cancel()
	endpoints = *pd
	switch os.Args[1] {
	case "transactions", "bank", "audit", "abandon":
		if err := transactional(ctx, os.Args[1], *file, *how); err != nil {
			fail(err)
		}
		return
	}
	client, err := rawkv.NewClient(ctx, strings.Split(*pd, ","), config.DefaultConfig().Security)
	if err != nil {
		fail(fmt.Errorf("connecting to %s: %w", *pd, err))
	}
	defer client.Close()

	switch os.Args[1] {
	case "operations":
		err = operations(ctx, client)
	case "write":
		err = write(ctx, client, *file, *prefix, *writers, *size)
	case "verify":
		err = verify(ctx, client, *file)
	case "leader":
		err = leader(ctx, client, []byte(*key))
	default:
		err = fmt.Errorf("no such subcommand: %s", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
}

// endpoints are PD's client addresses, joined with commas.
var endpoints string

func transactional(ctx context.Context, subcommand, file, how string) error {
	client, err := connectTransactions(endpoints)
	if err != nil {
		return err
	}
	defer client.Close()
	switch subcommand {
	case "transactions":
		return transactions(ctx, client)
	case "bank":
		return bank(ctx, client, file)
	case "audit":
		return audit(ctx, client, file)
	default:
		return abandon(ctx, client, how)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// leader waits until the key's region has a leader and prints its store's address.
func leader(ctx context.Context, client *rawkv.Client, key []byte) error {
	pd := client.GetPDClient()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		region, err := pd.GetRegion(ctx, key)
		if err == nil && region != nil && region.Leader.GetStoreId() != 0 {
			store, err := pd.GetStore(ctx, region.Leader.StoreId)
			if err != nil {
				return err
			}
			fmt.Println(store.Address)
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return fmt.Errorf("no leader for %q", key)
}
