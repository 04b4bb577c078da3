package ext

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pycopg/pycopg/driver"
)

// insert is an insert of many rows under way.
type insert struct {
	sql       insertSQL
	chunkRows int
	columns   []string // of a sequence, from its first part on
	base      int      // rows of a sequence in earlier parts
	implied   bool     // the columns to update are those that are inserted

	result   InsertResult
	rows     int               // that were to be inserted
	outcomes []*driver.Outcome // with the rows returned
}

const (
	defaultChunk = 10_000
	chunkBytes   = 4 << 20 // a statement's arguments are sent when they have reached this size
)

func newInsert(table string, o InsertOptions) (*insert, error) {
	job := &insert{chunkRows: o.ChunkRows}
	if job.chunkRows <= 0 {
		job.chunkRows = defaultChunk
	}
	name, err := ParseName(table)
	if err != nil {
		return job, err
	}
	if err := o.OnConflict.check(); err != nil {
		return job, err
	}
	if o.KeepLast && len(o.OnConflict.Update) > 0 && len(o.OnConflict.Columns) == 0 {
		return job, errKeepWhat
	}
	job.sql = insertSQL{table: name, overriding: o.Overriding, conflict: o.OnConflict, keepLast: o.KeepLast && len(o.OnConflict.Update) > 0}
	return job, nil
}

var errKeepWhat = errors.New("KeepLast needs OnConflict.Columns")

// statement is what mocks and loggers see.
func (j *insert) statement() string { return j.sql.head(j.columns) }

// do inserts the rows in one call of driver.Do.
func (j *insert) do(ctx context.Context, q Querier, src *rowSource) error {
	if src.count == 0 {
		return nil
	}
	j.columns = src.names()
	n, err := driver.Do(ctx, q, j.statement(), func(ctx context.Context, c *driver.Conn) (int64, error) {
		return j.run(ctx, c, src)
	})
	if err != nil {
		return err
	}
	j.result = j.counted(n)
	return nil
}

// counted is the result. On a mock nothing was run, and its count is n.
func (j *insert) counted(n int64) InsertResult {
	if j.rows == 0 {
		return InsertResult{Inserted: n}
	}
	r := j.result
	r.Skipped = max(int64(j.rows)-r.Inserted-r.Updated, 0)
	return r
}

// run inserts rows on the connection, in a pipeline.
func (j *insert) run(ctx context.Context, c *driver.Conn, src *rowSource) (int64, error) {
	if src.count == 0 {
		return 0, nil
	}
	t, err := lookUpTable(ctx, c, j.sql.table)
	if err != nil {
		return 0, err
	}
	p, err := j.plan(t, src)
	if err != nil {
		return 0, err
	}
	before := j.result
	var count int64
	err = runPipeline(ctx, c, func() (nextStatement, func(int, *driver.Outcome)) {
		j.result, j.outcomes, count, p.starts = before, nil, 0, p.starts[:0]
		return p.next(c), func(_ int, o *driver.Outcome) { count += p.take(o) }
	})
	if err != nil {
		if state := driver.SQLState(err); strings.HasPrefix(state, "22") || strings.HasPrefix(state, "42") {
			forgetTable(c, j.sql.table)
		}
		return 0, p.explain(err)
	}
	j.rows += src.count
	return count, nil
}

// take counts what a statement did.
func (p *insertPlan) take(o *driver.Outcome) int64 {
	if o.Err != nil {
		return 0
	}
	inserted, all := o.RowsAffected, o.RowsAffected
	if p.sql.counted {
		inserted, all = counts(o)
	}
	if len(p.sql.returning) > 0 {
		p.job.outcomes = append(p.job.outcomes, o)
	}
	p.job.result.Inserted += inserted
	p.job.result.Updated += all - inserted
	return all
}

// counts reads the one row of a statement that counts.
func counts(o *driver.Outcome) (inserted, all int64) {
	row := make([]sqldriver.Value, 2)
	if o.SQLRows().Next(row) == nil {
		inserted, _ = row[0].(int64)
		all, _ = row[1].(int64)
	}
	return inserted, all
}

// insertPlan is how rows go into a table.
type insertPlan struct {
	job     *insert
	sql     insertSQL
	src     *rowSource
	columns []*tableColumn  // that are inserted
	cells   []*sourceColumn // their values
	single  bool            // row by row
	row     int             // the next one
	starts  []int           // the first row of each statement
	args    [][]byte        // arrays being filled, one for each column
}

// plan decides which columns are inserted, and how.
func (j *insert) plan(t *table, src *rowSource) (*insertPlan, error) {
	p := &insertPlan{job: j, sql: j.sql, src: src}
	for i := range src.columns {
		cells := &src.columns[i]
		col := t.columns[cells.name]
		switch {
		case col == nil:
			return nil, fmt.Errorf("table %s has no column %q", j.sql.table, cells.name)
		case col.computed && !(col.identity && j.sql.overriding), cells.allLeft:
			continue
		}
		p.columns, p.cells = append(p.columns, col), append(p.cells, cells)
		p.single = p.single || !col.unnest || cells.defaults != nil
	}
	p.single = p.single || len(p.columns) == 0
	if j.implied {
		p.sql.conflict = p.impliedUpdate()
	}
	p.sql.counted = p.sql.conflict.mayUpdate() && len(j.sql.returning) == 0 && len(p.columns) > 0
	p.sql.bySystem = t.plain
	return p, nil
}

// impliedUpdate leaves out the columns that are not inserted: their defaults are not to replace what is in the table.
func (p *insertPlan) impliedUpdate() OnConflict {
	conflict := p.sql.conflict
	conflict.Update = nil
	for _, name := range p.sql.conflict.Update {
		if slices.ContainsFunc(p.columns, func(c *tableColumn) bool { return c.name == name }) {
			conflict.Update = append(conflict.Update, name)
		}
	}
	if len(conflict.Update) == 0 {
		return OnConflict{Columns: conflict.Columns, Nothing: true}
	}
	return conflict
}

// next gives the statements of the pipeline.
func (p *insertPlan) next(c *driver.Conn) nextStatement {
	p.row = 0
	if p.single {
		return p.nextRow(c)
	}
	text := p.sql.arrays(p.columns)
	return func() (driver.Statement, bool, error) {
		if p.row == p.src.count {
			return driver.Statement{}, false, nil
		}
		p.starts = append(p.starts, p.row)
		args, err := p.fill(c)
		return p.statement(text, args), err == nil, err
	}
}

func (p *insertPlan) statement(text string, args []any) driver.Statement {
	return driver.Statement{SQL: text, Args: args, Native: true, Rows: p.sql.counted || len(p.sql.returning) > 0}
}

// fill fills the arrays of a statement, up to its number of rows or size.
func (p *insertPlan) fill(c *driver.Conn) ([]any, error) {
	if p.args == nil {
		p.args = make([][]byte, len(p.columns))
	}
	for i := range p.args {
		p.args[i] = append(p.args[i][:0], '{')
	}
	size := 0
	for end := min(p.row+p.job.chunkRows, p.src.count); p.row < end && size < chunkBytes; p.row++ {
		size = 0
		for i, cells := range p.cells {
			arg, err := cells.appendElement(p.args[i], c, p.columns[i].elem, p.row)
			if err != nil {
				return nil, &BatchError{Index: p.job.base + p.row, Count: 1, Err: fmt.Errorf("column %q: %w", cells.name, err)}
			}
			p.args[i] = append(arg, ',')
			size += len(arg)
		}
	}
	args := make([]any, len(p.args))
	for i, arg := range p.args {
		arg[len(arg)-1] = '}' // in place of the last comma
		args[i] = string(arg)
	}
	return args, nil
}

// nextRow gives one statement for each row.
func (p *insertPlan) nextRow(c *driver.Conn) nextStatement {
	texts := make(map[string]string) // by which columns are given
	given := make([]bool, len(p.columns))
	var keys duplicates
	return func() (driver.Statement, bool, error) {
		if p.row == p.src.count {
			return driver.Statement{}, false, nil
		}
		p.starts = append(p.starts, p.row)
		args := make([]any, 0, len(p.columns))
		var which strings.Builder
		for i, cells := range p.cells {
			if given[i] = !cells.isDefault(p.row); given[i] {
				args = append(args, cells.value(p.row))
				which.WriteByte('1')
			} else {
				which.WriteByte('0')
			}
		}
		if err := keys.check(p, c); err != nil {
			return driver.Statement{}, false, &BatchError{Index: p.job.base + p.row, Count: 1, Err: err}
		}
		text := texts[which.String()]
		if text == "" {
			text = p.sql.row(p.columns, given)
			texts[which.String()] = text
		}
		p.row++
		args, err := driver.ConvertArgs(args) // values of plain kinds; the others are converted
		return p.statement(text, args), err == nil, err
	}
}

// duplicates finds rows with a conflict key that an earlier one had, where the server would update the row twice: single
// inserts are to behave as arrays do.
type duplicates struct{ seen map[string]bool }

func (d *duplicates) check(p *insertPlan, c *driver.Conn) error {
	conflict := p.sql.conflict
	if p.sql.keepLast || len(conflict.Update) == 0 || len(conflict.Columns) == 0 {
		return nil
	}
	var key []byte
	for i, cells := range p.cells {
		if !slices.Contains(conflict.Columns, cells.name) {
			continue
		}
		if cells.isDefault(p.row) || cells.values != nil && cells.values[p.row] == nil { // a new value, or NULL
			return nil
		}
		var err error
		if key, err = cells.appendElement(key, c, p.columns[i].elem, p.row); err != nil {
			return err
		}
		key = append(key, ',')
	}
	if d.seen[string(key)] {
		return ErrDuplicateKey
	}
	if d.seen == nil {
		d.seen = make(map[string]bool)
	}
	d.seen[string(key)] = true
	return nil
}

// explain names the rows of a failed statement.
func (p *insertPlan) explain(err error) error {
	var row *BatchError
	if errors.As(err, &row) { // the client's own
		return row
	}
	var failed *driver.PipelineError
	if !errors.As(err, &failed) {
		return err
	}
	cause := failed.Err
	if driver.SQLState(cause) == "21000" && p.sql.conflict.mayUpdate() {
		cause = fmt.Errorf("%w: %w", ErrDuplicateKey, cause)
	}
	if failed.Index < 0 || failed.Index >= len(p.starts) {
		return &BatchError{Index: -1, Err: cause}
	}
	first, end := p.starts[failed.Index], p.src.count
	if failed.Index+1 < len(p.starts) {
		end = p.starts[failed.Index+1]
	}
	return &BatchError{Index: p.job.base + first, Count: end - first, Err: cause}
}
