// loadgen drives one key-value cluster with one shape of load and prints one line of JSON.
//
// It is the same program for both systems of `npm run bench -- cluster`, so that what is compared is
// the servers: etcd through its official client, Rutile through grpc-go with TiKV's messages, either
// one call a command or batches on a stream as TiKV's Go client forms them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run() error {
	system := flag.String("system", "", "etcd or rutile")
	endpoints := flag.String("endpoints", "", "etcd: the member to talk to; rutile: PD's client addresses")
	op := flag.String("op", "put", "put or get")
	batched := flag.Bool("batch", false, "rutile: send commands in batches on a stream")
	preload := flag.Bool("preload", false, "write every key once and stop, without measuring")
	cpu := flag.String("cpu", "", "name=pid+pid,name=pid: processes whose CPU time is reported by name")
	var load Load
	flag.IntVar(&load.Clients, "clients", 256, "callers, each with one call outstanding")
	flag.IntVar(&load.Connections, "connections", 8, "connections that the callers share")
	flag.IntVar(&load.Keys, "keys", 100_000, "key space")
	flag.IntVar(&load.ValueSize, "value", 128, "bytes in a value")
	flag.DurationVar(&load.Warmup, "warmup", time.Second, "time before measuring starts")
	flag.DurationVar(&load.Duration, "duration", 5*time.Second, "time measured")
	flag.Parse()

	groups, err := parseGroups(*cpu)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	store, err := open(ctx, *system, strings.Split(*endpoints, ","), load.Connections, *batched)
	if err != nil {
		return err
	}
	defer store.Close()

	if *preload {
		return Preload(ctx, store, load)
	}
	if *op != "put" && *op != "get" {
		return fmt.Errorf("unknown -op %q", *op)
	}
	report, err := Measure(ctx, store, load, *op == "put", groups)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// Filler is a Store with a cheaper way to write many keys than one after another.
type Filler interface {
	Fill(ctx context.Context, connection int, keys [][]byte, value []byte) error
}

// Store is the system under load. A caller passes the number of the connection that it belongs to.
type Store interface {
	Put(ctx context.Context, connection int, key, value []byte) error
	// Get fails when the key is missing: every key was preloaded, so a miss is a fault.
	Get(ctx context.Context, connection int, key []byte) error
	// BatchSize is the mean number of commands that shared a message; 0 when each went alone.
	BatchSize() float64
	Close()
}

func open(ctx context.Context, system string, endpoints []string, connections int, batched bool) (Store, error) {
	switch system {
	case "etcd":
		if batched {
			return nil, fmt.Errorf("etcd has no batches of independent commands")
		}
		return OpenEtcd(endpoints, connections)
	case "rutile":
		return OpenRutile(ctx, endpoints, connections, batched)
	default:
		return nil, fmt.Errorf("unknown -system %q", system)
	}
}
