package mock

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgtype"
)

// Table tells the columns of a table, for commands that ask the catalog about it before they do their work: ext.InsertMany and its
// like. The statement that follows is expected as any other. (The columns of a COPY are those of ExpectCopyIn.)
func (m *Mock) Table(name string, columns ...*sqlmock.Column) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tables == nil {
		m.tables = map[string][]column{}
	}
	var all []column
	for _, c := range columns {
		all = append(all, column{name: c.Name(), oid: m.columnType(c.DbType())})
	}
	m.tables[foldTable(name)] = all
}

// question is what the packages of this module ask the catalog beside their work.
type question struct {
	marker  string // in the text
	columns []column
	rows    func(s *session, args []any) ([][]any, error)
}

// questions are all of them: the texts are those of the driver, ext, copyin and listen.
var questions = []question{
	{
		marker: "pg_listening_channels()", columns: []column{{"pg_listening_channels", pgtype.TextOID}},
		rows: func(s *session, _ []any) (rows [][]any, _ error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for channel := range s.mu.listening {
				rows = append(rows, []any{channel})
			}
			return rows, nil
		},
	},
	{
		marker: "pg_catalog.upper(typname), false", columns: []column{
			{"what", pgtype.TextOID}, {"oid", pgtype.OIDOID}, {"num", pgtype.Int4OID}, {"name", pgtype.TextOID}, {"null", pgtype.BoolOID},
		},
		rows: func(s *session, _ []any) (rows [][]any, _ error) {
			s.mock.mu.Lock()
			defer s.mock.mu.Unlock()
			for i, name := range s.mock.userTypes {
				rows = append(rows, []any{"t", uint32(firstUserOID + i), 0, name, false})
			}
			return rows, nil
		},
	},
	{ // the driver, of a prepared COPY: no such table is for the COPY to say
		marker: "with recursive col(num, name, type)", columns: []column{{"name", pgtype.TextOID}, {"type", pgtype.OIDOID}},
		rows: func(s *session, args []any) ([][]any, error) {
			columns, _ := s.mock.columnsOf(args)
			return each(columns, func(c column) []any { return []any{c.name, c.oid} }), nil
		},
	},
	{ // ext, of a table to insert into
		marker: "a.attgenerated::text, a.attidentity::text", columns: []column{
			{"attname", pgtype.TextOID},
			{"cast", pgtype.TextOID},
			{"elem", pgtype.Int8OID},
			{"builtin", pgtype.BoolOID},
			{"unnest", pgtype.BoolOID},
			{"attgenerated", pgtype.TextOID},
			{"attidentity", pgtype.TextOID},
			{"plain", pgtype.BoolOID},
		},
		rows: func(s *session, args []any) ([][]any, error) {
			columns, err := s.mock.columnsOf(args)
			return each(columns, func(c column) []any {
				name, array := s.mock.typeName(c.oid)
				return []any{c.name, name, int64(c.oid), c.oid < firstUserOID, !array, "", "", true}
			}), s.mock.unknown(err)
		},
	},
	{ // ext.Describe
		marker: "pg_catalog.format_type(t.oid, t.mod)", columns: []column{{"format_type", pgtype.TextOID}},
		rows: func(s *session, args []any) (rows [][]any, _ error) {
			for oid := range strings.SplitSeq(strings.Trim(fmt.Sprint(args[0]), "{}"), ",") {
				n, err := strconv.ParseUint(oid, 10, 32)
				if err != nil {
					return nil, fmt.Errorf("mock: the type %q: %w", oid, err)
				}
				rows = append(rows, []any{s.mock.sqlName(uint32(n))})
			}
			return rows, nil
		},
	},
	{ // copyin
		marker: "where attrelid = pg_catalog.to_regclass($1)", columns: []column{
			{"attname", pgtype.TextOID}, {"atttypid", pgtype.TextOID}, {"generated", pgtype.TextOID},
		},
		rows: func(s *session, args []any) ([][]any, error) {
			s.mock.pool.SchemaChanged() // the next expectation may have other columns: no COPY is to be tried on a guess
			columns, err := s.mock.columnsOf(args)
			return each(columns, func(c column) []any { return []any{c.name, strconv.Itoa(int(c.oid)), "false"} }), s.mock.unknown(err)
		},
	},
}

func each(columns []column, row func(column) []any) [][]any {
	var rows [][]any
	for _, c := range columns {
		rows = append(rows, row(c))
	}
	return rows
}

func questionOf(sql string) (question, bool) {
	for _, q := range questions {
		if strings.Contains(sql, q.marker) {
			return q, true
		}
	}
	return question{}, false
}

func (q question) answer(s *session, args []any) *answer {
	rows, err := q.rows(s, args)
	a := &answer{cut: -1, tag: fmt.Sprintf("SELECT %d", len(rows)), sets: []resultSet{{columns: q.columns, rows: rows}}}
	if err != nil {
		a.err = serverError(PgError("42P01", Fields{Message: err.Error()}))
	}
	return a
}

// columnsOf are the columns of the table that args name: of the COPY into it that is expected next, or of Table.
func (m *Mock) columnsOf(args []any) ([]column, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("mock: a question with the arguments %s", showArgs(args))
	}
	table := fmt.Sprint(args[0])
	columns, unnamed := m.copyColumns(table)
	if columns == nil {
		columns = m.tableColumns(table)
	}
	if columns != nil {
		return columns, nil
	}
	err := fmt.Errorf("mock: nothing is known of table %s: expect a COPY into it (ExpectCopyIn), or tell its columns (Table)", table)
	if unnamed {
		err = fmt.Errorf("mock: the columns of table %s are not known: name them in ExpectCopyIn, or tell them (Table)", table)
	}
	return nil, err
}

// copyColumns are the columns of the COPY into a table that is expected next. unnamed says that it names none.
func (m *Mock) copyColumns(table string) (columns []column, unnamed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.mu.expected {
		if e.done || e.kind != kindCopyIn || !sameTable(e.table, table) {
			continue
		}
		for i, name := range e.names {
			columns = append(columns, column{name, e.copied.typeAt(i)})
		}
		return columns, columns == nil
	}
	return nil, false
}

// tableColumns are the columns that Table told, nil where it did not.
func (m *Mock) tableColumns(table string) []column {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tables[foldTable(table)]
}

// unknown reports to the test that nothing is known of a table.
func (m *Mock) unknown(err error) error {
	if err == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.mu.ended {
		m.t.Errorf("%v", err)
	}
	return err
}

// sqlName is a type's name as format_type writes it, without a length.
func (m *Mock) sqlName(oid uint32) string {
	name, array := m.typeName(oid)
	name = strings.TrimPrefix(strings.TrimSuffix(name, "[]"), "pg_catalog.")
	if long, ok := longNames[name]; ok {
		name = long
	}
	if array {
		name += "[]"
	}
	return name
}

// typeName is a type's name for SQL text, and whether it is an array.
func (m *Mock) typeName(oid uint32) (name string, array bool) {
	if t, ok := builtins.TypeForOID(oid); ok {
		if elem, ok := strings.CutPrefix(t.Name, "_"); ok {
			return "pg_catalog." + elem + "[]", true
		}
		return "pg_catalog." + t.Name, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.ToLower(m.userTypes[oid-firstUserOID]), false
}
