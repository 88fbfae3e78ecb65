// etcd's Raft library in the harness of `npm run bench -- raft`: three replicas in one thread, every
// message marshalled and unmarshalled, entries persisted into memory at once. It prints one line of
// JSON with the proposals a second that the leader saw committed and applied.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// compactEvery bounds the log, as a store's log garbage collection does.
const compactEvery = 10_000

// result is what one run measured.
type result struct {
	Batch     int     `json:"batch"`
	Window    int     `json:"window"`
	Size      int     `json:"size"`
	Proposals int     `json:"proposals"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
}

func main() {
	batch := flag.Int("batch", 1, "proposals handed to the leader at once")
	window := flag.Int("window", 1, "batches in flight")
	size := flag.Int("size", 128, "bytes in a proposal")
	duration := flag.Duration("duration", 2*time.Second, "time measured")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	if err := run(*batch, *window, *size, *duration); err != nil {
		fmt.Fprintln(os.Stderr, "raft:", err)
		os.Exit(1)
	}
}

func run(batch, window, size int, duration time.Duration) error {
	group, err := newGroup()
	if err != nil {
		return err
	}
	data := make([]byte, size)
	propose := func() error {
		entries := make([]raftpb.Entry, batch)
		for i := range entries {
			entries[i].Data = data
		}
		return group.leader().Step(raftpb.Message{Type: raftpb.MsgProp, From: 1, Entries: entries})
	}
	// A warm-up of a fifth lets the heap and the log reach their usual size.
	for _, span := range []time.Duration{duration / 5, duration} {
		begun, applied, proposed := time.Now(), group.applied, group.applied
		for time.Since(begun) < span {
			for proposed-group.applied <= (window-1)*batch {
				if err := propose(); err != nil {
					return err
				}
				proposed += batch
			}
			if err := group.turn(); err != nil {
				return err
			}
		}
		if span == duration {
			seconds, done := time.Since(begun).Seconds(), group.applied-applied
			return json.NewEncoder(os.Stdout).Encode(result{
				batch, window, size, done, seconds, float64(done) / seconds,
			})
		}
		for group.applied < proposed {
			if err := group.turn(); err != nil {
				return err
			}
		}
	}
	return nil
}
