package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tikv/client-go/v2/rawkv"
)

// callPatience bounds one write, retries of the client included: an election and a restart fit in it.
const callPatience = 20 * time.Second

// keysOfWriter is how many keys a writer goes round: every key is overwritten again and again, so
// that a write which is lost and one which comes too late both show.
const keysOfWriter = 50

// outcomes is the record of a stream, one line an outcome:
//
//	acknowledged KEY VALUE
//	unknown KEY VALUE
//
// The order of the lines of one key is the order of its writes, as one writer owns it.
type outcomes struct {
	lock sync.Mutex
	file *bufio.Writer

	acknowledged atomic.Int64
	unknown      atomic.Int64
}

func (outcomes *outcomes) record(word, key, value string) {
	outcomes.lock.Lock()
	defer outcomes.lock.Unlock()
	fmt.Fprintln(outcomes.file, word, key, value)
}

// padded is what is written for a value of the record: at least size bytes, of which those from the
// dot on say nothing.
func padded(value string, size int) []byte {
	if len(value) >= size {
		return []byte(value)
	}
	return []byte(value + "." + strings.Repeat("x", size-len(value)))
}

// write streams writes until standard input ends, and prints "acknowledged N, unknown N" ten times a
// second so that whoever started it can tell progress. A key whose write has an unknown outcome is
// not written again: that write may still land, and nothing after it would be certain.
func write(ctx context.Context, client *rawkv.Client, path, prefix string, writers, size int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	outcomes := &outcomes{file: bufio.NewWriter(file)}
	ctx, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	var stopping atomic.Bool
	for writer := range writers {
		wait.Go(func() {
			writeLoop(ctx, client, outcomes, fmt.Sprintf("%s/%d", prefix, writer), size, &stopping)
		})
	}
	wait.Go(func() {
		for !stopping.Load() {
			fmt.Printf("acknowledged %d, unknown %d\n", outcomes.acknowledged.Load(), outcomes.unknown.Load())
			time.Sleep(100 * time.Millisecond)
		}
	})
	_, err = io.Copy(io.Discard, os.Stdin)
	stopping.Store(true)
	wait.Wait()
	stop()
	if err != nil {
		return err
	}
	if err := outcomes.file.Flush(); err != nil {
		return err
	}
	fmt.Printf("acknowledged %d, unknown %d\n", outcomes.acknowledged.Load(), outcomes.unknown.Load())
	return file.Close()
}

func writeLoop(ctx context.Context, client *rawkv.Client, outcomes *outcomes, prefix string, size int, stopping *atomic.Bool) {
	keys := make([]string, keysOfWriter)
	fresh := 0
	for number := 0; !stopping.Load(); number++ {
		slot := number % keysOfWriter
		if keys[slot] == "" {
			keys[slot] = fmt.Sprintf("%s/%d", prefix, fresh)
			fresh++
		}
		value := strconv.Itoa(number)
		call, cancel := context.WithTimeout(ctx, callPatience)
		err := client.Put(call, []byte(keys[slot]), padded(value, size))
		cancel()
		if err == nil {
			outcomes.record("acknowledged", keys[slot], value)
			outcomes.acknowledged.Add(1)
		} else {
			outcomes.record("unknown", keys[slot], value)
			outcomes.unknown.Add(1)
			keys[slot] = ""
		}
	}
}

// verify reads every key of the record: it must hold the last acknowledged value, or the one of
// unknown outcome after it.
func verify(ctx context.Context, client *rawkv.Client, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	acknowledged, unknown := map[string]string{}, map[string]string{}
	count := 0
	for line := range strings.Lines(string(text)) {
		var word, key, value string
		if _, err := fmt.Sscan(line, &word, &key, &value); err != nil {
			return fmt.Errorf("%s: %q is no outcome", path, line)
		}
		if word == "acknowledged" {
			acknowledged[key] = value
			count++
		} else {
			unknown[key] = value
		}
	}
	lost := 0
	for key, value := range acknowledged {
		got, err := client.Get(ctx, []byte(key))
		if err != nil {
			return fmt.Errorf("get %s: %w", key, err)
		}
		held, _, _ := strings.Cut(string(got), ".")
		other, uncertain := unknown[key]
		if held != value && (!uncertain || held != other) {
			lost++
			fmt.Printf("lost %s: holds %q, acknowledged was %q\n", key, held, value)
		}
	}
	fmt.Printf("%d writes to %d keys were acknowledged, %d keys lost one\n", count, len(acknowledged), lost)
	if lost > 0 {
		return fmt.Errorf("acknowledged writes were lost")
	}
	if count == 0 {
		return fmt.Errorf("no write was acknowledged")
	}
	return nil
}
