package main

import (
	"fmt"
	"io"
	"log"
	"math"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// member is one replica with what it keeps "on disk" and the messages on their way to it.
type member struct {
	node    *raft.RawNode
	storage *raft.MemoryStorage
	inbox   [][]byte
}

// group is three replicas of one log. Replica 1 leads.
type group struct {
	members [3]*member
	// applied counts the proposals that the leader applied.
	applied int
}

func (group *group) leader() *raft.RawNode { return group.members[0].node }

// newGroup makes three voters and lets the first win an election. The limits are those of TiKV:
// 1 MiB for a message, 256 messages in flight.
func newGroup() (*group, error) {
	raft.SetLogger(&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)})
	group := &group{}
	for i := range group.members {
		storage := raft.NewMemoryStorage()
		voters := raftpb.ConfState{Voters: []uint64{1, 2, 3}}
		snapshot := raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 1, Term: 1, ConfState: voters}}
		if err := storage.ApplySnapshot(snapshot); err != nil {
			return nil, err
		}
		node, err := raft.NewRawNode(&raft.Config{
			ID: uint64(i + 1), ElectionTick: 10, HeartbeatTick: 2, Storage: storage, Applied: 1,
			MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, MaxUncommittedEntriesSize: math.MaxUint64,
			CheckQuorum: true, PreVote: true,
		})
		if err != nil {
			return nil, err
		}
		group.members[i] = &member{node: node, storage: storage}
	}
	if err := group.leader().Campaign(); err != nil {
		return nil, err
	}
	for range 20 {
		if err := group.turn(); err != nil {
			return nil, err
		}
	}
	if state := group.leader().BasicStatus().RaftState; state != raft.StateLeader {
		return nil, fmt.Errorf("replica 1 is %v after its campaign", state)
	}
	return group, nil
}

// turn lets every replica take in what was sent to it and do what became ready, once.
func (group *group) turn() error {
	for _, member := range group.members {
		inbox := member.inbox
		member.inbox = nil
		for _, data := range inbox {
			var message raftpb.Message
			if err := message.Unmarshal(data); err != nil {
				return err
			}
			if err := member.node.Step(message); err != nil {
				return err
			}
		}
		if member.node.HasReady() {
			if err := group.perform(member); err != nil {
				return err
			}
		}
	}
	return nil
}

// perform does what a ready replica asks for: persist, send, apply.
func (group *group) perform(member *member) error {
	ready := member.node.Ready()
	if !raft.IsEmptyHardState(ready.HardState) {
		if err := member.storage.SetHardState(ready.HardState); err != nil {
			return err
		}
	}
	if err := member.storage.Append(ready.Entries); err != nil {
		return err
	}
	for _, message := range ready.Messages {
		data, err := message.Marshal()
		if err != nil {
			return err
		}
		to := group.members[message.To-1]
		to.inbox = append(to.inbox, data)
	}
	for _, entry := range ready.CommittedEntries {
		if member == group.members[0] && len(entry.Data) > 0 {
			group.applied++
		}
	}
	member.node.Advance(ready)
	return member.compact()
}

// compact forgets what every replica surely has, a long way behind the last entry.
func (member *member) compact() error {
	first, err := member.storage.FirstIndex()
	if err != nil {
		return err
	}
	last, err := member.storage.LastIndex()
	if err != nil {
		return err
	}
	if last < first+2*compactEvery {
		return nil
	}
	return member.storage.Compact(last - compactEvery)
}
