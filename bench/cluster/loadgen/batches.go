package main

import (
	"context"
	"fmt"
	"sync"

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

// batches is one BatchCommands stream. The sender takes whatever callers have queued while the last
// message was being sent, up to maxBatch, and waits for nothing more: the load itself sets the size.
type batches struct {
	stream tikvpb.Tikv_BatchCommandsClient
	queue  chan command

	lock    sync.Mutex
	next    uint64
	waiting map[uint64]chan answer
	broken  error
}

func openBatches(client tikvpb.TikvClient) (*batches, error) {
	stream, err := client.BatchCommands(context.Background())
	if err != nil {
		return nil, err
	}
	batches := &batches{stream: stream, queue: make(chan command, maxBatch), waiting: map[uint64]chan answer{}}
	go batches.send()
	go batches.receive()
	return batches, nil
}

func (batches *batches) call(request *tikvpb.BatchCommandsRequest_Request) (*tikvpb.BatchCommandsResponse_Response, error) {
	command := command{request: request, answer: make(chan answer, 1)}
	batches.queue <- command
	got := <-command.answer
	return got.response, got.err
}

func (batches *batches) send() {
	for first := range batches.queue {
		message := &tikvpb.BatchCommandsRequest{}
		batches.register(message, first)
		for more := true; more && len(message.Requests) < maxBatch; {
			select {
			case command := <-batches.queue:
				batches.register(message, command)
			default:
				more = false
			}
		}
		if len(message.Requests) == 0 {
			continue
		}
		if err := batches.stream.Send(message); err != nil {
			batches.fail(err)
		}
	}
}

func (batches *batches) register(message *tikvpb.BatchCommandsRequest, command command) {
	batches.lock.Lock()
	defer batches.lock.Unlock()
	if batches.broken != nil {
		command.answer <- answer{err: batches.broken}
		return
	}
	batches.next++
	batches.waiting[batches.next] = command.answer
	message.Requests = append(message.Requests, command.request)
	message.RequestIds = append(message.RequestIds, batches.next)
}

func (batches *batches) receive() {
	for {
		message, err := batches.stream.Recv()
		if err != nil {
			batches.fail(err)
			return
		}
		if len(message.Responses) != len(message.RequestIds) {
			batches.fail(fmt.Errorf("%d answers with %d ids", len(message.Responses), len(message.RequestIds)))
			return
		}
		batches.lock.Lock()
		for i, id := range message.RequestIds {
			if waiting, known := batches.waiting[id]; known {
				delete(batches.waiting, id)
				waiting <- answer{response: message.Responses[i]}
			}
		}
		batches.lock.Unlock()
	}
}

// fail answers everything that waits; the stream is not used again.
func (batches *batches) fail(err error) {
	batches.lock.Lock()
	defer batches.lock.Unlock()
	batches.broken = err
	for id, waiting := range batches.waiting {
		delete(batches.waiting, id)
		waiting <- answer{err: err}
	}
}
