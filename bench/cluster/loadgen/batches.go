package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pingcap/kvproto/pkg/tikvpb"
)

// maxBatch is the most commands in one message, the default of TiKV's Go client.
const maxBatch = 128

type answer struct {
	response *tikvpb.BatchCommandsResponse_Response
	err      error
}

type command struct {
	request *tikvpb.BatchCommandsRequest_Request
	answer  chan answer
}

// batches collects the commands of all callers to one store, as TiKV's Go client does with its
// default settings: one queue, whose messages go to the store's streams in turn.
type batches struct {
	queue   chan command
	streams []*stream
	pace    pace

	messages, commands atomic.Int64
}

func openBatches(clients []tikvpb.TikvClient) (*batches, error) {
	batches := &batches{queue: make(chan command, maxBatch), pace: newPace()}
	for _, client := range clients {
		opened, err := client.BatchCommands(context.Background())
		if err != nil {
			return nil, err
		}
		stream := &stream{grpc: opened, waiting: map[uint64]chan answer{}}
		batches.streams = append(batches.streams, stream)
		go stream.receive()
	}
	go batches.send()
	return batches, nil
}

func (batches *batches) call(request *tikvpb.BatchCommandsRequest_Request) (*tikvpb.BatchCommandsResponse_Response, error) {
	command := command{request: request, answer: make(chan answer, 1)}
	batches.queue <- command
	got := <-command.answer
	return got.response, got.err
}

func (batches *batches) send() {
	commands := make([]command, 0, maxBatch)
	for turn := 0; ; turn++ {
		commands = append(commands[:0], <-batches.queue)
		commands = batches.drain(commands)
		if wanted, patience := batches.pace.next(time.Now()); len(commands) < wanted {
			commands = batches.await(commands, wanted, patience)
		}
		batches.pace.sent(len(commands))
		batches.messages.Add(1)
		batches.commands.Add(int64(len(commands)))
		batches.streams[turn%len(batches.streams)].send(commands)
	}
}

// drain takes what is queued, and gives callers that are about to queue one chance to run.
func (batches *batches) drain(commands []command) []command {
	for yielded := false; len(commands) < maxBatch; {
		select {
		case command := <-batches.queue:
			commands = append(commands, command)
		default:
			if yielded {
				return commands
			}
			runtime.Gosched()
			yielded = true
		}
	}
	return commands
}

// await waits for commands until there are as many as wanted, or patience ends.
func (batches *batches) await(commands []command, wanted int, patience time.Duration) []command {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(commands) < wanted {
		select {
		case command := <-batches.queue:
			commands = append(commands, command)
		case <-timer.C:
			return commands
		}
	}
	return batches.drain(commands)
}

// pace decides whether waiting for more commands pays, from how fast they came of late: both figures
// are moving averages that take a fifth of the newest.
type pace struct {
	last     time.Time
	interval float64
	size     float64
}

const (
	newest = 0.2
	// longestWait is what a command waits at most for others to join it.
	longestWait = 100 * time.Microsecond
)

func newPace() pace { return pace{size: 8, interval: longestWait.Seconds()} }

// next says, for a batch whose first command is there now, how many to wait for and how long.
func (pace *pace) next(now time.Time) (wanted int, patience time.Duration) {
	since := min(now.Sub(pace.last).Seconds(), 5*longestWait.Seconds())
	pace.last = now
	pace.interval = newest*since + (1-newest)*pace.interval
	if pace.interval >= 0.8*longestWait.Seconds() {
		return 0, 0
	}
	return int(pace.size + 0.2), longestWait
}

func (pace *pace) sent(size int) { pace.size = newest*float64(size) + (1-newest)*pace.size }

// stream is one BatchCommands stream with the callers that wait for its answers.
type stream struct {
	grpc tikvpb.Tikv_BatchCommandsClient

	lock    sync.Mutex
	next    uint64
	waiting map[uint64]chan answer
	broken  error
}

func (stream *stream) send(commands []command) {
	message := &tikvpb.BatchCommandsRequest{}
	stream.lock.Lock()
	if broken := stream.broken; broken != nil {
		stream.lock.Unlock()
		for _, command := range commands {
			command.answer <- answer{err: broken}
		}
		return
	}
	for _, command := range commands {
		stream.next++
		stream.waiting[stream.next] = command.answer
		message.Requests = append(message.Requests, command.request)
		message.RequestIds = append(message.RequestIds, stream.next)
	}
	stream.lock.Unlock()
	if err := stream.grpc.Send(message); err != nil {
		stream.fail(err)
	}
}

func (stream *stream) receive() {
	for {
		message, err := stream.grpc.Recv()
		if err == nil && len(message.Responses) != len(message.RequestIds) {
			err = fmt.Errorf("%d answers with %d ids", len(message.Responses), len(message.RequestIds))
		}
		if err != nil {
			stream.fail(err)
			return
		}
		stream.lock.Lock()
		for i, id := range message.RequestIds {
			if waiting, known := stream.waiting[id]; known {
				delete(stream.waiting, id)
				waiting <- answer{response: message.Responses[i]}
			}
		}
		stream.lock.Unlock()
	}
}

// fail answers everything that waits; the stream is not used again.
func (stream *stream) fail(err error) {
	stream.lock.Lock()
	defer stream.lock.Unlock()
	stream.broken = err
	for id, waiting := range stream.waiting {
		delete(stream.waiting, id)
		waiting <- answer{err: err}
	}
}
