package copyin

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"sort"
	"strings"

	"github.com/pycopg/pycopg/internal/copyformat"
)

// cutter cuts the blocks of a file into batches, and leaves out what earlier runs have stored.
type cutter struct {
	l  *loader
	in *input

	b      *batch // that is being filled, or skipped
	skip   bool   // b is one that an earlier run has stored
	base   int64  // the offset of the current block
	open   int    // bytes of a record that has begun in an earlier block
	tail   []byte // the beginning of that record
	line   int64  // that b begins with
	raw    int64  // how much of the file is in earlier batches
	seen   int64  // how much of it has been read
	marker int64  // the line of the end-of-data marker, 0 where it was not read
	enough bool   // the limit is reached
	cut    bool   // the file could not be read to its end
}

// takeAll takes blocks until there are no more.
func (c *cutter) takeAll(ctx context.Context, ordered <-chan *block) error {
	c.start()
	for b := range ordered {
		select {
		case <-b.done:
		case <-ctx.Done():
			return nil
		}
		if err := c.take(ctx, b); err != nil {
			return err
		}
		b.release()
		if c.enough {
			return errEnough
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return c.finish(ctx)
}

// start begins a batch behind the last one.
func (c *cutter) start() {
	at := int64(0)
	if c.b != nil {
		at = c.b.span.end
	}
	c.b = &batch{in: c.in, first: c.line, span: span{start: at, end: at}}
	c.skip = len(c.in.done) > 0 && c.in.done[0].start == at
}

// take cuts a block at the ends of its records.
func (c *cutter) take(ctx context.Context, blk *block) error {
	c.seen = blk.raw
	ends := blk.ends
	if n := c.findMarker(blk); n >= 0 {
		c.marker = c.lineNow() + int64(bytes.Count(blk.buf[:blk.startOf(n)], []byte{c.in.lineEnd}))
		if ends[n] < len(blk.buf) {
			return c.behindMarker()
		}
		if ends = ends[:n]; n == 0 {
			c.drop(c.open)
		}
	} else if c.marker > 0 && len(blk.buf) > 0 {
		return c.behindMarker()
	}
	from := 0
	for len(ends) > 0 {
		n, cut, err := c.cutAt(ends, from)
		if err != nil {
			return err
		}
		c.add(blk, blk.buf[from:ends[n-1]])
		c.b.span.rows += int64(n)
		c.b.span.end = c.base + int64(ends[n-1])
		c.open, c.tail = 0, c.tail[:0]
		from, ends = ends[n-1], ends[n:]
		if cut {
			if err := c.emit(ctx); err != nil || c.enough {
				return err
			}
		}
	}
	rest := blk.buf[from:]
	if c.marker > 0 {
		rest = nil
	}
	c.add(blk, rest)
	c.tail = append(c.tail, rest[:min(len(rest), markerSize-min(len(c.tail), markerSize))]...)
	c.base += int64(len(blk.buf))
	if c.open += len(rest); c.open > c.l.longest() {
		return &RowError{Row: c.lineNow(), Err: c.tooLong().(*RowError).Err}
	}
	return nil
}

// add adds a piece to the batch.
func (c *cutter) add(blk *block, piece []byte) {
	if len(piece) == 0 {
		return
	}
	c.b.bytes += len(piece)
	if c.skip {
		c.b.span.checksum = crc32.Update(c.b.span.checksum, checksums, piece)
		c.line += int64(bytes.Count(piece, []byte{c.in.lineEnd}))
		return
	}
	c.b.data = append(c.b.data, piece)
	if n := len(c.b.held); n == 0 || c.b.held[n-1] != blk {
		blk.users.Add(1)
		c.b.held = append(c.b.held, blk)
	}
}

// drop takes the last bytes back.
func (c *cutter) drop(n int) {
	c.b.bytes -= n
	for n > 0 && len(c.b.data) > 0 {
		last := &c.b.data[len(c.b.data)-1]
		if len(*last) > n {
			*last = (*last)[:len(*last)-n]
			break
		}
		n -= len(*last)
		c.b.data = c.b.data[:len(c.b.data)-1]
	}
	c.open, c.tail = 0, c.tail[:0]
}

// cutAt is how many of the records whose ends are given go into the batch, and whether it is complete then.
func (c *cutter) cutAt(ends []int, from int) (n int, cut bool, err error) {
	n = len(ends)
	least := func(k int) {
		if k <= n {
			n, cut = k, true
		}
	}
	limit := int64(-1)
	if c.skip {
		limit = c.in.done[0].end
	} else {
		if len(c.in.done) > 0 {
			limit = c.in.done[0].start
		}
		least(c.l.options.BatchRows - int(c.b.span.rows))
		room := c.l.options.BatchBytes - c.b.bytes + from
		least(sort.SearchInts(ends, room) + 1)
		if left := c.l.rowsLeft(); left >= 0 && left-c.b.span.rows <= int64(len(ends)) {
			least(int(left - c.b.span.rows))
		}
	}
	if limit >= 0 && limit <= c.base+int64(ends[len(ends)-1]) {
		k := sort.SearchInts(ends, int(limit-c.base))
		if c.base+int64(ends[k]) != limit {
			return 0, false, errOtherInput
		}
		least(k + 1)
	}
	return n, cut, nil
}

var errOtherInput = errors.New("the input is not the one that earlier runs of this import have read")

// emit hands the batch on, or checks one that is stored already.
func (c *cutter) emit(ctx context.Context) error {
	b := c.b
	b.raw, c.raw = c.seen-c.raw, c.seen
	if c.skip {
		if b.span != c.in.done[0] {
			return errOtherInput
		}
		c.in.done = c.in.done[1:]
		c.l.resumed(b)
	} else {
		for _, piece := range b.data {
			c.line += int64(bytes.Count(piece, []byte{c.in.lineEnd}))
		}
		if err := c.l.give(ctx, b); err != nil {
			return err
		}
	}
	c.start()
	c.enough = c.l.rowsLeft() == 0
	return nil
}

// finish hands on what is left: the last record of a file may lack its line end.
func (c *cutter) finish(ctx context.Context) error {
	if c.open > 0 && c.cut {
		c.drop(c.open)
	}
	if c.open > 0 {
		c.b.span.rows++
		c.b.span.end += int64(c.open)
	}
	if c.b.span.rows > 0 && !(c.cut && c.skip) {
		if err := c.emit(ctx); err != nil {
			return err
		}
	}
	if len(c.in.done) > 0 && !c.enough && !c.cut {
		return errOtherInput
	}
	return nil
}

// lineNow is the line that the current record begins with.
func (c *cutter) lineNow() int64 {
	line := c.line
	if !c.skip {
		for _, piece := range c.b.data {
			line += int64(bytes.Count(piece, []byte{c.in.lineEnd}))
		}
	}
	return line
}

// markerSize is how long the end-of-data marker can be with its line end.
const markerSize = len(copyformat.Marker + "\r\n")

// findMarker is the number of the record that is the end-of-data marker, -1 without one.
func (c *cutter) findMarker(blk *block) int {
	if !blk.marked || !c.in.marked || c.marker > 0 {
		return -1
	}
	for i, end := range blk.ends {
		from := blk.startOf(i)
		if end-from > markerSize || i == 0 && c.open > markerSize {
			continue
		}
		record := string(blk.buf[from:end])
		if i == 0 {
			record = string(c.tail) + record
		}
		if strings.TrimRight(record, "\r\n") == copyformat.Marker {
			return i
		}
	}
	return -1
}

func (c *cutter) behindMarker() error { return &RowError{Row: c.marker, Err: errBehindMarker} }
