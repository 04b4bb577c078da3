package copyin

import (
	"bytes"
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/pycopg/pycopg/internal/copyformat"
)

// blockSize is how much of a file is looked at by one goroutine at a time.
const blockSize = 512 << 10

// block is a piece of a file, cut anywhere.
type block struct {
	buf    []byte
	raw    int64 // how much of the file was read when the block was
	ends   []int // behind the records that end in it
	marked bool  // it may hold the end-of-data marker

	start, next chan copyformat.QuoteState // the state in front of it, and behind it
	done        chan struct{}              // closed when ends is known
	users       atomic.Int32               // batches that have data in it, and the cutter
}

var blocks = sync.Pool{New: func() any { return &block{buf: make([]byte, 0, blockSize)} }}

func newBlock(start chan copyformat.QuoteState) *block {
	b := blocks.Get().(*block)
	b.start, b.next = start, make(chan copyformat.QuoteState, 1)
	b.done = make(chan struct{})
	b.users.Store(1)
	return b
}

func (b *block) release() {
	if b.users.Add(-1) == 0 && cap(b.buf) <= 2*blockSize {
		b.buf, b.ends = b.buf[:0], b.ends[:0]
		blocks.Put(b)
	}
}

// read fills the block. more is false when r has ended.
func (b *block) read(r io.Reader) (more bool, err error) {
	n, more, err := fillFrom(r, b.buf[len(b.buf):cap(b.buf)])
	b.buf = b.buf[:len(b.buf)+n]
	return more, err
}

// grow makes room for as much again.
func (b *block) grow() {
	b.buf = append(make([]byte, 0, 2*cap(b.buf)), b.buf...)
}

// startOf is the offset of a record that ends in the block: of the first one, that of its part in it.
func (b *block) startOf(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// look finds the records that end in the block. Most of it runs beside that of other blocks.
func (b *block) look(ctx context.Context, csv copyformat.CSV, lineEnd byte) {
	through := csv.Through(b.buf)
	b.marked = bytes.Contains(b.buf, []byte(copyformat.Marker)) || bytes.HasPrefix(b.buf, []byte(`.`)) || bytes.HasPrefix(b.buf, []byte("\n")) || bytes.HasPrefix(b.buf, []byte("\r"))
	var state copyformat.QuoteState
	select {
	case state = <-b.start:
	case <-ctx.Done():
		return
	}
	b.next <- through[state]
	b.ends = csv.AppendEnds(b.ends[:0], b.buf, state, lineEnd)
	close(b.done)
}
