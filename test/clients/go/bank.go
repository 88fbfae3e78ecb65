package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
)

// The bank has branches, each in a region of its own, and moves money between their accounts. Every
// transfer leaves a line in the ledger of the branch it takes from, in the same transaction, so that
// an audit can tell which transfers happened and whether the balances are their sum.
const (
	branches         = 4
	accountsOfBranch = 4
	initialBalance   = 1000
	clerks           = 12
	readers          = 2
)

func accountKey(branch, number int) []byte {
	return fmt.Appendf(nil, "bank/%d/account/%d", branch, number)
}

func accountKeys() [][]byte {
	keys := [][]byte{}
	for branch := range branches {
		for number := range accountsOfBranch {
			keys = append(keys, accountKey(branch, number))
		}
	}
	return keys
}

// bank opens the accounts and transfers until standard input ends; the outcomes go to a file, one
// line each, with "acknowledged", "unknown" or "refused" before the key of the ledger. Progress is
// printed as that of write is. A snapshot that breaks the bank's rules ends the program with an error.
func bank(ctx context.Context, client *txnkv.Client, path string) error {
	if err := openBank(ctx, client); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	outcomes := &outcomes{file: bufio.NewWriter(file)}
	books := &books{broken: make(chan error, 1)}
	var wait sync.WaitGroup
	var stopping atomic.Bool
	for number := range clerks {
		clerk := clerk{client, number, modes[number%len(modes)], outcomes, books}
		wait.Go(func() { clerk.work(ctx, &stopping) })
	}
	for number := range readers {
		wait.Go(func() { books.read(ctx, client, number, &stopping) })
	}
	wait.Go(func() {
		for !stopping.Load() {
			fmt.Printf("acknowledged %d, unknown %d\n", outcomes.acknowledged.Load(), outcomes.unknown.Load())
			time.Sleep(100 * time.Millisecond)
		}
	})
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		ended <- err
	}()
	select {
	case err = <-ended:
	case err = <-books.broken:
	}
	stopping.Store(true)
	wait.Wait()
	select {
	case late := <-books.broken:
		err = errors.Join(err, late)
	default:
	}
	if err != nil {
		return err
	}
	fmt.Printf("acknowledged %d, unknown %d\n", outcomes.acknowledged.Load(), outcomes.unknown.Load())
	fmt.Printf("%d snapshots held the total, %d reads failed\n", books.good.Load(), books.failed.Load())
	return errors.Join(outcomes.file.Flush(), file.Close())
}

func openBank(ctx context.Context, client *txnkv.Client) error {
	bounds := [][]byte{}
	for branch := 1; branch < branches; branch++ {
		bounds = append(bounds, fmt.Appendf(nil, "bank/%d", branch))
	}
	if _, err := client.SplitRegions(ctx, bounds, true, nil); err != nil {
		return err
	}
	keys := accountKeys()
	values := [][]byte{}
	for range keys {
		values = append(values, fmt.Append(nil, initialBalance))
	}
	_, err := writeAll(ctx, client, modes[0], keys, values)
	return err
}

// clerk makes one transfer after the other in one mode.
type clerk struct {
	client   *txnkv.Client
	number   int
	mode     mode
	outcomes *outcomes
	books    *books
}

func (clerk clerk) work(ctx context.Context, stopping *atomic.Bool) {
	for count := 0; !stopping.Load(); count++ {
		call, cancel := context.WithTimeout(ctx, callPatience)
		if err := clerk.transfer(call, count); err != nil {
			// An election takes a while; without a pause its failures would be a busy loop.
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}
}

// transfer answers an error if nothing was committed, as far as it knows.
func (clerk clerk) transfer(ctx context.Context, count int) error {
	txn, err := begin(clerk.client, clerk.mode)
	if err != nil {
		return err
	}
	from, to := clerk.accounts()
	ledger := fmt.Sprintf("%s/ledger/%d/%06d", from[:len("bank/0")], clerk.number, count)
	amount := 1 + rand.IntN(10)
	if err := clerk.move(ctx, txn, from, to, amount); err != nil {
		return errors.Join(err, txn.Rollback())
	}
	line := fmt.Sprintf("%s,%s,%d", from, to, amount)
	if err := txn.Set([]byte(ledger), []byte(line)); err != nil {
		return err
	}
	err = txn.Commit(ctx)
	switch {
	case err == nil:
		clerk.outcomes.record("acknowledged", ledger, line)
		clerk.outcomes.acknowledged.Add(1)
		clerk.books.confirm(ctx, clerk.client, ledger)
	case tikverr.IsErrorUndetermined(err) || ctx.Err() != nil:
		clerk.outcomes.record("unknown", ledger, line)
		clerk.outcomes.unknown.Add(1)
	default:
		clerk.outcomes.record("refused", ledger, line)
	}
	return err
}

// accounts are two; those of one branch where the mode is for one region.
func (clerk clerk) accounts() (from, to []byte) {
	fromBranch, fromNumber := rand.IntN(branches), rand.IntN(accountsOfBranch)
	toBranch, toNumber := rand.IntN(branches), rand.IntN(accountsOfBranch)
	if clerk.mode.onePC {
		toBranch = fromBranch
	}
	if fromBranch == toBranch && fromNumber == toNumber {
		toNumber = (toNumber + 1) % accountsOfBranch
	}
	return accountKey(fromBranch, fromNumber), accountKey(toBranch, toNumber)
}

func (clerk clerk) move(ctx context.Context, txn *transaction.KVTxn, from, to []byte, amount int) error {
	held := [2][]byte{}
	for i, key := range [2][]byte{from, to} {
		if clerk.mode.pessimistic {
			lockCtx, err := lockRetrying(ctx, clerk.client, txn, key)
			if err != nil {
				return err
			}
			held[i] = lockCtx.Values[string(key)].Value
		} else {
			value, err := valueIn(ctx, txn, key)
			if err != nil {
				return err
			}
			held[i] = value
		}
	}
	for i, key := range [2][]byte{from, to} {
		balance, err := strconv.Atoi(string(held[i]))
		if err != nil {
			return fmt.Errorf("balance of %s: %w", key, err)
		}
		change := amount
		if i == 0 {
			change = -amount
		}
		if err := txn.Set(key, fmt.Append(nil, balance+change)); err != nil {
			return err
		}
	}
	return nil
}

// books check what snapshots hold while money moves.
type books struct {
	good, failed atomic.Int64
	broken       chan error
}

func (books *books) breach(err error) {
	select {
	case books.broken <- err:
	default:
	}
}

// confirm: what was acknowledged is in every snapshot taken from now on.
func (books *books) confirm(ctx context.Context, client *txnkv.Client, ledger string) {
	if rand.IntN(10) > 0 {
		return
	}
	at, err := now(client)
	if err != nil {
		return
	}
	line, err := valueIn(ctx, client.GetSnapshot(at), []byte(ledger))
	if err == nil && line == nil {
		books.breach(fmt.Errorf("%s was acknowledged, and a snapshot at %d does not hold it", ledger, at))
	}
}

// read takes snapshots, by batch get, scan up and scan down: each holds the same total, and what it
// held once it holds for ever.
func (books *books) read(ctx context.Context, client *txnkv.Client, number int, stopping *atomic.Bool) {
	var past uint64
	var held map[string]string
	for round := number; !stopping.Load(); round++ {
		call, cancel := context.WithTimeout(ctx, callPatience)
		at, err := now(client)
		var balances map[string]string
		if err == nil {
			balances, err = balancesAt(call, client, at, round%3)
		}
		if err == nil {
			books.checkTotal(at, balances)
		} else {
			books.failed.Add(1)
		}
		if past > 0 && round%5 == 0 {
			if again, err := balancesAt(call, client, past, round%3); err == nil && !maps.Equal(again, held) {
				books.breach(fmt.Errorf("the snapshot at %d held %v, and then %v", past, held, again))
			}
		}
		if err == nil && round%20 == 0 {
			past, held = at, balances
		}
		cancel()
		time.Sleep(20 * time.Millisecond)
	}
}

func (books *books) checkTotal(at uint64, balances map[string]string) {
	total := 0
	for _, text := range balances {
		balance, err := strconv.Atoi(text)
		if err != nil {
			books.breach(err)
			return
		}
		total += balance
	}
	if len(balances) != branches*accountsOfBranch || total != branches*accountsOfBranch*initialBalance {
		books.breach(fmt.Errorf("the snapshot at %d holds %d in %v", at, total, balances))
		return
	}
	books.good.Add(1)
}

func balancesAt(ctx context.Context, client *txnkv.Client, at uint64, way int) (map[string]string, error) {
	snapshot := client.GetSnapshot(at)
	balances := map[string]string{}
	if way == 0 {
		got, err := batchGetFrom(ctx, snapshot, accountKeys())
		for key, value := range got {
			balances[key] = string(value)
		}
		return balances, err
	}
	for branch := range branches {
		start, end := fmt.Appendf(nil, "bank/%d/account/", branch), fmt.Appendf(nil, "bank/%d/account0", branch)
		var it iterator
		var err error
		if way == 1 {
			it, err = snapshot.Iter(start, end)
		} else {
			it, err = descend(snapshot, end, start)
		}
		keys, values, err := collect(it, err, start, end)
		if err != nil {
			return nil, err
		}
		for i, key := range keys {
			balances[string(key)] = string(values[i])
		}
	}
	return balances, nil
}

// audit compares what the bank holds with the record of its outcomes: every acknowledged transfer is
// in the ledger, no refused one is, nothing is that nobody made, and the balances are the ledger's sum.
func audit(ctx context.Context, client *txnkv.Client, path string) error {
	recorded, err := readOutcomes(path)
	if err != nil {
		return err
	}
	at, err := now(client)
	if err != nil {
		return err
	}
	start, end := []byte("bank/"), []byte("bank0")
	it, err := client.GetSnapshot(at).Iter(start, end)
	keys, values, err := collect(it, err, start, end)
	if err != nil {
		return err
	}
	wanted, held, ledger := map[string]int{}, map[string]int{}, map[string]string{}
	accounts := accountKeys()
	for _, key := range accounts {
		wanted[string(key)] = initialBalance
	}
	for i, key := range keys {
		if _, isAccount := wanted[string(key)]; isAccount {
			if held[string(key)], err = strconv.Atoi(string(values[i])); err != nil {
				return err
			}
			continue
		}
		ledger[string(key)] = string(values[i])
	}
	wrong := []error{}
	for key, line := range ledger {
		var from, to string
		var amount int
		if err := parseTransfer(line, &from, &to, &amount); err != nil {
			return err
		}
		wanted[from] -= amount
		wanted[to] += amount
		if recorded[key].line != line {
			wrong = append(wrong, fmt.Errorf("%s holds %q, and nobody made that", key, line))
		}
	}
	counts := map[string]int{}
	for key, outcome := range recorded {
		counts[outcome.word]++
		_, made := ledger[key]
		if (outcome.word == "acknowledged" && !made) || (outcome.word == "refused" && made) {
			wrong = append(wrong, fmt.Errorf("%s was %s, in the ledger: %v", key, outcome.word, made))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if held[key] != wanted[key] {
			wrong = append(wrong, fmt.Errorf("%s holds %d, the ledger's sum is %d", key, held[key], wanted[key]))
		}
	}
	if counts["acknowledged"] == 0 {
		wrong = append(wrong, errors.New("no transfer was acknowledged"))
	}
	fmt.Printf("%d transfers in the ledger; %d acknowledged, %d unknown, %d refused; %d errors\n",
		len(ledger), counts["acknowledged"], counts["unknown"], counts["refused"], len(wrong))
	return errors.Join(wrong...)
}

// recordedOutcome is a line of the file, without its key.
type recordedOutcome struct{ word, line string }

func readOutcomes(path string) (map[string]recordedOutcome, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	recorded := map[string]recordedOutcome{}
	for row := range strings.Lines(string(text)) {
		words := strings.Fields(row)
		if len(words) != 3 {
			return nil, fmt.Errorf("%s: %q is no outcome", path, row)
		}
		recorded[words[1]] = recordedOutcome{words[0], words[2]}
	}
	return recorded, nil
}

func parseTransfer(line string, from, to *string, amount *int) error {
	parts := strings.Split(line, ",")
	if len(parts) != 3 {
		return fmt.Errorf("%q is no transfer", line)
	}
	*from, *to = parts[0], parts[1]
	var err error
	*amount, err = strconv.Atoi(parts[2])
	return err
}
