package passthrough

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec of health and reflection
	"google.golang.org/grpc/mem"
)

// frame is one message as it was sent; what a newer service knows of it and this gateway does not is kept.
type frame struct{ bytes []byte }

// codec passes frames through and leaves other messages to the usual codec.
type codec struct{ usual encoding.CodecV2 }

func newCodec() codec { return codec{usual: encoding.GetCodecV2("proto")} }

func (c codec) Name() string { return c.usual.Name() }

func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	if f, ok := message.(*frame); ok {
		return mem.BufferSlice{mem.SliceBuffer(f.bytes)}, nil
	}
	return c.usual.Marshal(message)
}

func (c codec) Unmarshal(data mem.BufferSlice, message any) error {
	if f, ok := message.(*frame); ok {
		f.bytes = data.Materialize()
		return nil
	}
	return c.usual.Unmarshal(data, message)
}
