package copyin

import (
	"context"
	"errors"
	"slices"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// prepare finds out what the table has, or guesses that it is what it was before. In a transaction it does not: a COPY that was
// started for a wrong guess would fail it.
func (j *job) prepare(ctx context.Context, c *driver.Conn) error {
	if j.open != nil && c.TxStatus() == 'I' {
		if j.guess = recall(c, j.table); j.guess != nil && j.fill(ctx, c, j.guess) == nil {
			return nil
		}
	}
	return j.lookUp(ctx, c)
}

func (j *job) lookUp(ctx context.Context, c *driver.Conn) error {
	j.guess = nil
	t, err := lookUp(ctx, c, j.table)
	if err != nil {
		return err
	}
	return j.fill(ctx, c, t)
}

// fill takes the columns to be filled from those of the table.
func (j *job) fill(ctx context.Context, c *driver.Conn, t *target) (err error) {
	if j.filled, err = t.pick(j.wanted); err != nil {
		return err
	}
	types := make([]uint32, len(j.filled))
	for i, col := range j.filled {
		types[i] = col.oid
	}
	j.codec, err = c.CopyCodec(ctx, types)
	return err
}

// errOutdated is the error of a COPY whose table is not what it was before.
var errOutdated = errors.New("the table's columns have changed")

// check starts the COPY, and asks on the way whether the guess was right: outside of a transaction that takes no round trip of its
// own. Where it was wrong it ends that COPY, which has no effect, and looks the table up; then the COPY is not started.
func (j *job) check(ctx context.Context, c *driver.Conn) (*driver.CopyIn, error) {
	ci, err := c.CopyInChecked(ctx, j.statement(), columnsQuery(c), j.table.String(), func(rows [][]string) error {
		if !slices.Equal(columnsOf(rows), j.guess.columns) {
			return errOutdated
		}
		return nil
	})
	if err != errOutdated {
		return ci, err
	}
	return nil, j.lookUp(ctx, c)
}

// choose decides the format, from the types of the columns and of the Go values that fill them, and begins it.
func (j *job) choose() error {
	if err := j.chooseFormat(); err != nil {
		return err
	}
	if j.guess != nil {
		if err := j.open(); err != nil {
			return err
		}
		if j.guess == nil {
			if err := j.chooseFormat(); err != nil {
				return err
			}
		}
	}
	j.begun = true
	j.buf = make([]byte, 0, bufferSize+bufferSize/4)
	if j.format == Binary {
		j.buf = append(j.buf, copyformat.Header...)
	}
	return nil
}

func (j *job) chooseFormat() error {
	filled, samples, err := j.source.use(j.filled)
	if err != nil {
		return err
	}
	if len(filled) == 0 && len(j.filled) > 0 {
		return errors.New("no column of the table is left to fill")
	}
	j.filled = filled
	if j.format = j.options.Format; j.format == Auto {
		j.format, err = j.bestFormat(samples)
	}
	return err
}

// statement is the COPY of the rows.
func (j *job) statement() string {
	return statement(j.table, names(j.filled), j.options.options(j.format)...)
}

func (j *job) bestFormat(samples []any) (Format, error) {
	samples, err := j.convert(samples)
	if err != nil {
		return Auto, err
	}
	for i, c := range j.filled {
		if !j.codec.HasBinary(c.oid, samples[i]) {
			return Text, nil
		}
	}
	return Binary, nil
}
