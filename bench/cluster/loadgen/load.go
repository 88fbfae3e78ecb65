package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Load is the shape of what the callers do.
type Load struct {
	Clients     int
	Connections int
	Keys        int
	ValueSize   int
	Warmup      time.Duration
	Duration    time.Duration
}

// Report is what one measured run printed. Times are in microseconds, CPU in seconds.
type Report struct {
	Ops       int                `json:"ops"`
	Errors    int                `json:"errors"`
	LastError string             `json:"lastError,omitempty"`
	Seconds   float64            `json:"seconds"`
	P50       int64              `json:"p50Us"`
	P99       int64              `json:"p99Us"`
	Max       int64              `json:"maxUs"`
	CPU       map[string]float64 `json:"cpu"`
	ClientCPU float64            `json:"clientCpu"`
	BatchSize float64            `json:"batchSize"`
}

// key is 16 bytes, the same for both systems.
func key(number int) []byte { return fmt.Appendf(nil, "key-%012d", number) }

// Keys that a caller takes at a time to preload.
const stride = 100

// Preload writes every key once, so that gets find what they ask for and puts overwrite.
func Preload(ctx context.Context, store Store, load Load) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	clients := load.Clients
	if _, ok := store.(Filler); ok {
		// Each has many keys under way.
		clients = load.Connections
	}
	failures := make(chan error, clients)
	for client := range clients {
		wait.Go(func() {
			value := payload(load.ValueSize)
			for {
				end := int(next.Add(stride))
				keys := make([][]byte, 0, stride)
				for number := end - stride; number < min(end, load.Keys); number++ {
					keys = append(keys, key(number))
				}
				if len(keys) == 0 {
					return
				}
				if err := fill(ctx, store, client%load.Connections, keys, value); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wait.Wait()
	close(failures)
	return <-failures
}

func fill(ctx context.Context, store Store, connection int, keys [][]byte, value []byte) error {
	if filler, ok := store.(Filler); ok {
		var err error
		for range attempts {
			// A server that is behind lets requests time out: it gets the same again.
			if err = filler.Fill(ctx, connection, keys, value); err == nil {
				return nil
			}
			time.Sleep(time.Second)
		}
		return err
	}
	for _, key := range keys {
		if err := store.Put(ctx, connection, key, value); err != nil {
			return err
		}
	}
	return nil
}

// caller is what one client saw inside the measured window.
type caller struct {
	latencies []int64
	errors    int
	last      error
}

// Measure runs every client in a closed loop and reports what completed inside the window, and the
// CPU time that the named processes took in that same window.
func Measure(ctx context.Context, store Store, load Load, put bool, groups Groups) (Report, error) {
	start := time.Now().Add(load.Warmup)
	end := start.Add(load.Duration)
	callers := make([]caller, load.Clients)
	var wait sync.WaitGroup
	for client := range callers {
		wait.Go(func() {
			callers[client] = drive(ctx, store, load, put, client, start, end)
		})
	}
	time.Sleep(time.Until(start))
	before, err := groups.Seconds()
	if err != nil {
		return Report{}, err
	}
	ownBefore := ownSeconds()
	time.Sleep(time.Until(end))
	after, err := groups.Seconds()
	if err != nil {
		return Report{}, err
	}
	ownAfter := ownSeconds()
	wait.Wait()

	report := Report{Seconds: load.Duration.Seconds(), CPU: map[string]float64{}, ClientCPU: ownAfter - ownBefore}
	for name, seconds := range after {
		report.CPU[name] = seconds - before[name]
	}
	var all []int64
	for _, caller := range callers {
		all = append(all, caller.latencies...)
		report.Errors += caller.errors
		if caller.last != nil {
			report.LastError = caller.last.Error()
		}
	}
	if len(all) == 0 {
		return Report{}, fmt.Errorf("nothing completed: %s", report.LastError)
	}
	slices.Sort(all)
	report.BatchSize = store.BatchSize()
	report.Ops = len(all)
	report.P50 = all[len(all)/2]
	report.P99 = all[len(all)*99/100]
	report.Max = all[len(all)-1]
	return report, nil
}

func drive(ctx context.Context, store Store, load Load, put bool, client int, start, end time.Time) caller {
	random := rand.New(rand.NewPCG(uint64(client), 1))
	value := payload(load.ValueSize)
	var seen caller
	for {
		began := time.Now()
		if began.After(end) {
			return seen
		}
		var err error
		if name := key(random.IntN(load.Keys)); put {
			err = store.Put(ctx, client%load.Connections, name, value)
		} else {
			err = store.Get(ctx, client%load.Connections, name)
		}
		finished := time.Now()
		switch {
		case finished.Before(start) || finished.After(end):
		case err != nil:
			seen.errors++
			seen.last = err
		default:
			seen.latencies = append(seen.latencies, finished.Sub(began).Microseconds())
		}
	}
}

func payload(size int) []byte {
	value := make([]byte, size)
	for i := range value {
		value[i] = byte('a' + rand.IntN(26))
	}
	return value
}
