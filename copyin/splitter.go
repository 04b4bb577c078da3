package copyin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// countingReader counts what was read.
type countingReader struct {
	r io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// feedOne reads one file or stream.
func (s *csvSource) feedOne(ctx context.Context, l *loader, ordinal int, name string, r io.Reader) error {
	err := s.split(ctx, l, ordinal, name, r)
	var foreign *foreignError
	switch {
	case err == nil || name == "":
		return err
	case errors.As(err, &foreign): // of the file, which is no code of the user's
		err = foreign.err
	}
	return fmt.Errorf("file %q: %w", name, err)
}

func (s *csvSource) split(ctx context.Context, l *loader, ordinal int, name string, r io.Reader) error {
	job := &csvJob{options: s.options, table: l.table}
	counted := &countingReader{r: r}
	data, err := job.open(counted)
	if err != nil {
		return err
	}
	if err := checkSplit(job.csv, s.options.Encoding); err != nil {
		return err
	}
	marked := false
	if _, err := l.look(ctx, statement(l.table, job.columns, "format csv"), func(ctx context.Context, c *driver.Conn) error {
		marked = endsAtMarker(c)
		return job.prepare(ctx, c)
	}); err != nil {
		return err
	}
	if marked && job.csv.Quote == copyformat.Marker[0] {
		return errors.New(`CSV with the quote \ is not split for servers before PostgreSQL 18, where a line \. ends the data`)
	}
	in := &input{ordinal: ordinal, name: name, columns: job.filled, format: CSVFormat, csv: job.csv, lineEnd: job.end, marked: marked}
	if err := l.adopt(in, job.copyOptions()); err != nil {
		return err
	}
	if err := l.rejects.header(in, job.names); err != nil {
		return err
	}
	c := &cutter{l: l, in: in, line: job.lines + 1}
	if err := c.run(ctx, counted, data); err != nil {
		return err
	}
	l.passed(counted.n.Load() - c.raw)
	return nil
}

// embedsASCII are the encodings in which a byte of a longer character may look like an ASCII one, of 0x30 and above.
var embedsASCII = []string{
	"sjis", "shiftjis", "mskanji", "win932", "windows932", "shiftjis2004", "big5", "win950", "windows950",
	"gbk", "win936", "windows936", "gb18030", "uhc", "win949", "windows949", "johab",
}

// cleanEncoding is an encoding's name as the server compares it.
func cleanEncoding(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// checkSplit refuses what cannot be split without knowing the encoding's characters.
func checkSplit(csv copyformat.CSV, encoding string) error {
	if !slices.Contains(embedsASCII, cleanEncoding(encoding)) {
		return nil
	}
	for _, b := range []byte{csv.Quote, csv.Escape} {
		if b >= 0x30 {
			return fmt.Errorf("CSV in %s cannot be split with the quote or escape %q, which may be half of a character", encoding, b)
		}
	}
	return nil
}

// run reads the data in blocks, has them looked at side by side, and cuts them into batches in their order.
func (c *cutter) run(ctx context.Context, counted *countingReader, data *bufio.Reader) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	splitters := min(max(runtime.GOMAXPROCS(0), 2), maxWorkers)
	work, ordered := make(chan *block, splitters), make(chan *block, splitters)
	var running sync.WaitGroup
	for range splitters {
		running.Go(func() {
			for b := range work {
				b.look(ctx, c.in.csv, c.in.lineEnd)
			}
		})
	}
	running.Go(func() {
		if err := c.takeAll(ctx, ordered); err != nil {
			cancel(err)
		}
	})
	returned := false
	defer func() { // also when the user's reader panics
		if !returned {
			cancel(nil)
		}
		c.cut = err != nil
		close(work)
		close(ordered)
		running.Wait()
		if cause := context.Cause(ctx); returned && cause != nil && cause != errEnough {
			err = cause
		}
	}()
	err = c.read(counted, data, func(b *block) bool {
		for _, to := range []chan *block{ordered, work} {
			select {
			case to <- b:
			case <-ctx.Done():
				return false
			}
		}
		return true
	})
	returned = true
	return err
}

// errEnough ends the reading when the limit of rows is reached.
var errEnough = errors.New("enough rows")

// read reads blocks, up to the end or until give returns false.
func (c *cutter) read(counted *countingReader, data *bufio.Reader, give func(*block) bool) error {
	start := make(chan copyformat.QuoteState, 1)
	start <- copyformat.Outside
	for more := true; more; {
		b := newBlock(start)
		var err error
		if more, err = b.read(data); err != nil {
			if c.in.lineEnd != 0 { // what came before the failure
				give(b)
			}
			return err
		}
		for c.in.lineEnd == 0 && len(b.buf) > 0 {
			end, ok := c.in.csv.LineEnd(b.buf)
			switch {
			case ok:
				c.in.lineEnd = end
			case !more:
				c.in.lineEnd = '\n'
				if b.buf[len(b.buf)-1] == '\r' {
					c.in.lineEnd = '\r'
				}
			case len(b.buf) > c.l.longest():
				return c.tooLong()
			default:
				b.grow()
				if more, err = b.read(data); err != nil {
					return err
				}
			}
		}
		b.raw = counted.n.Load()
		start = b.next
		if !give(b) {
			return nil
		}
	}
	return nil
}

func (c *cutter) tooLong() error {
	return &RowError{Row: c.line, Err: fmt.Errorf("the row is longer than %d bytes: is a quote missing? (BatchBytes allows for longer ones)", c.l.longest())}
}
