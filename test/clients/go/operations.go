package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/tikv/client-go/v2/rawkv"
)

// rule is one thing that the cluster must do, said as a sentence.
type rule struct {
	title string
	check func(ctx context.Context, client *rawkv.Client) error
}

var rules = []rule{
	{"a value that was put is got", putGet},
	{"a key that was never put has no value", getMissing},
	{"a second put replaces the value", overwrite},
	{"an empty value is not an absent value", emptyValue},
	{"keys and values may hold any bytes", anyBytes},
	{"a batch put is read by a batch get in the order asked, with nothing for a missing key", batch},
	{"a large batch that the client splits arrives whole", largeBatch},
	{"a scan is ordered, holds its start and not its end, and keeps its limit", scan},
	{"a scan for keys only brings no values", scanKeys},
	{"a reverse scan goes down from below its start to its end, which it holds", reverseScan},
	{"compare-and-swap on an absent key writes only if the key is absent", swapAbsent},
	{"compare-and-swap writes if the value is as expected, and else tells the value", swapPresent},
	{"of many who swap at once from one value, one wins", swapRace},
	{"a deleted key has no value, and deleting it again is no error", deleteKey},
	{"a batch delete removes its keys and no other", batchDelete},
	{"a delete range removes its start, all between, and not its end", deleteRange},
	{"a value of one mebibyte comes back whole", largeValue},
}

func operations(ctx context.Context, client *rawkv.Client) error {
	failed := 0
	for _, rule := range rules {
		if err := rule.check(ctx, client); err != nil {
			failed++
			fmt.Printf("not ok %s: %v\n", rule.title, err)
		} else {
			fmt.Printf("ok %s\n", rule.title)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d rules broken", failed, len(rules))
	}
	return nil
}

func putGet(ctx context.Context, client *rawkv.Client) error {
	if err := client.Put(ctx, k("put"), k("value")); err != nil {
		return err
	}
	return expect(ctx, client, k("put"), k("value"))
}

func getMissing(ctx context.Context, client *rawkv.Client) error {
	return expect(ctx, client, k("missing"), nil)
}

func overwrite(ctx context.Context, client *rawkv.Client) error {
	if err := client.Put(ctx, k("put"), k("newer")); err != nil {
		return err
	}
	return expect(ctx, client, k("put"), k("newer"))
}

func emptyValue(ctx context.Context, client *rawkv.Client) error {
	if err := client.Put(ctx, k("empty"), []byte{}); err != nil {
		return err
	}
	return expect(ctx, client, k("empty"), []byte{})
}

func anyBytes(ctx context.Context, client *rawkv.Client) error {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	key := append(k("bytes/"), every...)
	if err := client.Put(ctx, key, every); err != nil {
		return err
	}
	return expect(ctx, client, key, every)
}

func batch(ctx context.Context, client *rawkv.Client) error {
	keys, values := pairs("batch", 10)
	if err := client.BatchPut(ctx, keys, values); err != nil {
		return err
	}
	asked := [][]byte{keys[7], k("batch/missing"), keys[2]}
	got, err := client.BatchGet(ctx, asked)
	if err != nil {
		return err
	}
	return same(got, [][]byte{values[7], nil, values[2]})
}

func largeBatch(ctx context.Context, client *rawkv.Client) error {
	keys, values := pairs("large", 2000)
	if err := client.BatchPut(ctx, keys, values); err != nil {
		return err
	}
	got, err := client.BatchGet(ctx, keys)
	if err != nil {
		return err
	}
	return same(got, values)
}

func scan(ctx context.Context, client *rawkv.Client) error {
	keys, values := pairs("scan", 10)
	if err := client.BatchPut(ctx, keys, values); err != nil {
		return err
	}
	gotKeys, gotValues, err := client.Scan(ctx, keys[2], keys[8], 100)
	if err != nil {
		return err
	}
	if err := same(gotKeys, keys[2:8]); err != nil {
		return err
	}
	if err := same(gotValues, values[2:8]); err != nil {
		return err
	}
	gotKeys, _, err = client.Scan(ctx, keys[0], k("scan0"), 3)
	if err != nil {
		return err
	}
	return same(gotKeys, keys[:3])
}

func scanKeys(ctx context.Context, client *rawkv.Client) error {
	keys, _ := pairs("scan", 10)
	gotKeys, gotValues, err := client.Scan(ctx, keys[0], k("scan0"), 100, rawkv.ScanKeyOnly())
	if err != nil {
		return err
	}
	for _, value := range gotValues {
		if len(value) > 0 {
			return fmt.Errorf("brought the value %q", value)
		}
	}
	return same(gotKeys, keys)
}

// reverseScan: this client's start is the upper bound and exclusive, its end the lower and inclusive.
func reverseScan(ctx context.Context, client *rawkv.Client) error {
	keys, values := pairs("scan", 10)
	gotKeys, gotValues, err := client.ReverseScan(ctx, keys[8], keys[2], 100)
	if err != nil {
		return err
	}
	var downKeys, downValues [][]byte
	for i := 7; i >= 2; i-- {
		downKeys, downValues = append(downKeys, keys[i]), append(downValues, values[i])
	}
	if err := same(gotKeys, downKeys); err != nil {
		return err
	}
	return same(gotValues, downValues)
}

func swapAbsent(ctx context.Context, client *rawkv.Client) error {
	client = client.SetAtomicForCAS(true)
	defer client.SetAtomicForCAS(false)
	if err := client.Delete(ctx, k("swap")); err != nil {
		return err
	}
	previous, done, err := client.CompareAndSwap(ctx, k("swap"), nil, k("first"))
	if err != nil {
		return err
	}
	if !done || previous != nil {
		return fmt.Errorf("on an absent key: done %v, previous %q", done, previous)
	}
	previous, done, err = client.CompareAndSwap(ctx, k("swap"), nil, k("second"))
	if err != nil {
		return err
	}
	if done || !bytes.Equal(previous, k("first")) {
		return fmt.Errorf("on a present key: done %v, previous %q", done, previous)
	}
	return expect(ctx, client, k("swap"), k("first"))
}

func swapPresent(ctx context.Context, client *rawkv.Client) error {
	client = client.SetAtomicForCAS(true)
	defer client.SetAtomicForCAS(false)
	if err := client.Put(ctx, k("swap"), k("old")); err != nil {
		return err
	}
	previous, done, err := client.CompareAndSwap(ctx, k("swap"), k("wrong"), k("new"))
	if err != nil {
		return err
	}
	if done || !bytes.Equal(previous, k("old")) {
		return fmt.Errorf("with a wrong value: done %v, previous %q", done, previous)
	}
	previous, done, err = client.CompareAndSwap(ctx, k("swap"), k("old"), k("new"))
	if err != nil {
		return err
	}
	if !done || !bytes.Equal(previous, k("old")) {
		return fmt.Errorf("with the right value: done %v, previous %q", done, previous)
	}
	return expect(ctx, client, k("swap"), k("new"))
}

func swapRace(ctx context.Context, client *rawkv.Client) error {
	client = client.SetAtomicForCAS(true)
	defer client.SetAtomicForCAS(false)
	if err := client.Put(ctx, k("race"), k("start")); err != nil {
		return err
	}
	const racers = 32
	type outcome struct {
		done bool
		err  error
	}
	outcomes := make(chan outcome, racers)
	for i := range racers {
		go func() {
			_, done, err := client.CompareAndSwap(ctx, k("race"), k("start"), fmt.Appendf(nil, "racer %d", i))
			outcomes <- outcome{done, err}
		}()
	}
	winners := 0
	for range racers {
		outcome := <-outcomes
		if outcome.err != nil {
			return outcome.err
		}
		if outcome.done {
			winners++
		}
	}
	if winners != 1 {
		return fmt.Errorf("%d won", winners)
	}
	return nil
}

func deleteKey(ctx context.Context, client *rawkv.Client) error {
	for range 2 {
		if err := client.Delete(ctx, k("put")); err != nil {
			return err
		}
	}
	return expect(ctx, client, k("put"), nil)
}

func batchDelete(ctx context.Context, client *rawkv.Client) error {
	keys, values := pairs("batch", 10)
	if err := client.BatchDelete(ctx, keys[:5]); err != nil {
		return err
	}
	got, err := client.BatchGet(ctx, keys)
	if err != nil {
		return err
	}
	return same(got, append(make([][]byte, 5), values[5:]...))
}

func deleteRange(ctx context.Context, client *rawkv.Client) error {
	keys, _ := pairs("scan", 10)
	if err := client.DeleteRange(ctx, keys[3], keys[6]); err != nil {
		return err
	}
	got, _, err := client.Scan(ctx, keys[0], k("scan0"), 100)
	if err != nil {
		return err
	}
	return same(got, append(append([][]byte{}, keys[:3]...), keys[6:]...))
}

func largeValue(ctx context.Context, client *rawkv.Client) error {
	value := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := client.Put(ctx, k("mebibyte"), value); err != nil {
		return err
	}
	return expect(ctx, client, k("mebibyte"), value)
}

// k puts what this program writes below one prefix.
func k(name string) []byte { return []byte("go/" + name) }

func pairs(name string, count int) (keys, values [][]byte) {
	for i := range count {
		keys = append(keys, k(fmt.Sprintf("%s/%05d", name, i)))
		values = append(values, fmt.Appendf(nil, "value %d of %s", i, name))
	}
	return keys, values
}

func expect(ctx context.Context, client *rawkv.Client, key, value []byte) error {
	got, err := client.Get(ctx, key)
	if err != nil {
		return err
	}
	if (got == nil) != (value == nil) || !bytes.Equal(got, value) {
		return fmt.Errorf("%.40q holds %.60q, not %.60q", key, got, value)
	}
	return nil
}

func same(got, wanted [][]byte) error {
	if len(got) != len(wanted) {
		return fmt.Errorf("%d items, not %d", len(got), len(wanted))
	}
	for i := range got {
		if (got[i] == nil) != (wanted[i] == nil) || !bytes.Equal(got[i], wanted[i]) {
			return fmt.Errorf("item %d is %.60q, not %.60q", i, got[i], wanted[i])
		}
	}
	return nil
}
