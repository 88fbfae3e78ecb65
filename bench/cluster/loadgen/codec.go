package main

import (
	"fmt"

	"google.golang.org/grpc/encoding"
)

// marshaler is what every message of kvproto generates.
type marshaler interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

// codec calls the generated methods straight away. grpc-go's own codec reaches them through
// reflection, which would make the generator a larger part of what is measured.
type codec struct{}

var _ encoding.Codec = codec{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message any) ([]byte, error) {
	if known, ok := message.(marshaler); ok {
		return known.Marshal()
	}
	return nil, fmt.Errorf("%T is no kvproto message", message)
}

func (codec) Unmarshal(data []byte, message any) error {
	if known, ok := message.(marshaler); ok {
		return known.Unmarshal(data)
	}
	return fmt.Errorf("%T is no kvproto message", message)
}
