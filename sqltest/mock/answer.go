package mock

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
)

// answer is what the server says to a statement.
type answer struct {
	notices []*pgproto3.NoticeResponse
	notify  []*pgproto3.NotificationResponse
	sets    []resultSet
	tag     string
	tags    []string // of a request that is several statements, in place of tag
	err     *pgconn.PgError
	status  byte // afterwards, 0: as before
	cut     int  // lose the connection behind so many rows, -1: not
	copying func() error
}

// answerOf is the answer that an expectation has for a statement, once it has waited as it was told.
func (s *session) answerOf(e *expectation, sql string) (*answer, error) {
	for len(s.conn.Cancels()) > 0 {
		<-s.conn.Cancels() // meant for an earlier statement
	}
	err := s.await(e)
	if err == errGone || e.fault == BeforeWrite || e.fault == AfterWrite {
		return nil, errGone
	}
	a := &answer{notices: e.notices, notify: e.notify, cut: -1}
	if e.fault == MidResult {
		a.cut = e.faultRows
	}
	switch {
	case err == errCancelled:
		a.err = serverError(PgError("57014", Fields{}))
		return a, nil
	case e.err != nil && isServerError(e.err):
		a.err = serverError(e.err)
		return a, nil
	case e.err != nil:
		s.setError(e.err)
		a.err = serverError(PgError("XX000", Fields{Message: e.err.Error()}))
		return a, nil
	}
	s.mock.mu.Lock()
	a.sets, err = e.resultSets()
	s.mock.mu.Unlock()
	if err != nil {
		err = s.mock.fail("the rows of %s: %v", e, err)
		a.err = serverError(PgError("XX000", Fields{Message: err.Error()}))
		return a, nil
	}
	var rows int64
	if len(a.sets) > 0 {
		rows = int64(len(a.sets[len(a.sets)-1].rows))
	} else if e.result != nil {
		if rows, err = e.result.RowsAffected(); err != nil {
			s.setError(err)
			a.err = serverError(PgError("XX000", Fields{Message: err.Error()}))
			return a, nil
		}
	}
	a.tag = tagOf(sql, rows, len(a.sets) > 0)
	return a, nil
}

// tagOf is the command tag of a statement.
func tagOf(sql string, rows int64, returns bool) string {
	words := strings.Fields(strings.ToUpper(sql))
	verb := "SELECT"
	if len(words) > 0 {
		verb = strings.TrimRight(words[0], ";(")
	}
	switch verb {
	case "INSERT":
		return fmt.Sprintf("INSERT 0 %d", rows)
	case "SELECT", "UPDATE", "DELETE", "MERGE", "FETCH", "MOVE", "COPY":
		return fmt.Sprintf("%s %d", verb, rows)
	}
	switch {
	case returns || verb == "WITH" || verb == "VALUES" || verb == "TABLE":
		return fmt.Sprintf("SELECT %d", rows)
	case rows != 0: // whatever it is, it counts
		return fmt.Sprintf("UPDATE %d", rows)
	case len(words) > 1 && isDefinition[verb]:
		return verb + " " + strings.TrimRight(words[1], ";")
	}
	return verb
}

// isDefinition are the commands whose tag has two words.
var isDefinition = map[string]bool{"CREATE": true, "DROP": true, "ALTER": true, "PREPARE": true, "DECLARE": true, "CLOSE": true, "REFRESH": true}

// give sends an answer. An error ends the connection.
func (s *session) give(a *answer, formats []int16, describe bool) error {
	for _, n := range a.notices {
		s.out.send(n)
	}
	if a.copying != nil && a.err == nil {
		return a.copying()
	}
	codec := driver.NewCopyCodec()
	sent := 0
	for _, set := range a.sets {
		if describe {
			s.out.send(rowDescription(set.columns, formats))
		}
		for _, row := range set.rows {
			if sent == a.cut {
				break
			}
			s.out.send(dataRow(codec, set.columns, row, formats))
			sent++
		}
		if a.cut >= 0 {
			s.out.flush()
			return errGone
		}
		if set.failure != nil {
			a.err = rowError(set.failure)
			break
		}
		if len(a.sets) > 1 {
			s.out.send(&pgproto3.CommandComplete{CommandTag: []byte(fmt.Sprintf("SELECT %d", len(set.rows)))})
		}
	}
	if a.cut >= 0 {
		s.out.flush()
		return errGone
	}
	if a.err != nil {
		return a.err
	}
	tags := a.tags
	if tags == nil && len(a.sets) <= 1 {
		tags = []string{a.tag}
	}
	for _, tag := range tags {
		s.out.send(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	}
	if a.status != 0 {
		s.setStatus(a.status)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.held = append(s.mu.held, a.notify...)
	return nil
}

// rowError is the error of a row as one of the server.
func rowError(err error) *pgconn.PgError {
	if pg := serverError(err); pg != nil {
		return pg
	}
	return serverError(PgError("XX000", Fields{Message: err.Error()}))
}

func rowDescription(columns []column, formats []int16) *pgproto3.RowDescription {
	d := &pgproto3.RowDescription{Fields: make([]pgproto3.FieldDescription, len(columns))}
	for i, c := range columns {
		d.Fields[i] = pgproto3.FieldDescription{
			Name: []byte(c.name), DataTypeOID: c.oid, DataTypeSize: -1, TypeModifier: -1, Format: formatOf(formats, i),
		}
	}
	return d
}

// formatOf is the format of the ith of several values, as Bind counts them.
func formatOf(formats []int16, i int) int16 {
	switch {
	case len(formats) == 1:
		return formats[0]
	case i < len(formats):
		return formats[i]
	}
	return 0
}

// dataRow is a row whose values have been checked.
func dataRow(codec *driver.CopyCodec, columns []column, row []any, formats []int16) *pgproto3.DataRow {
	d := &pgproto3.DataRow{Values: make([][]byte, len(row))}
	for i, v := range row {
		b, null, err := appendValue(codec, []byte{}, columns[i].oid, formatOf(formats, i), v)
		if v == nil || null {
			continue
		}
		if err != nil {
			b = []byte(err.Error())
		}
		d.Values[i] = b
	}
	return d
}

// simple answers a Query.
func (s *session) simple(sql string) error {
	if strings.Trim(sql, "; \t\r\n") == "" {
		s.out.send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	texts := []string{sql}
	if isNative(sql) {
		texts = split(sql)
	}
	var err error
	if !slices.ContainsFunc(texts, func(text string) bool { return !isListening(text) }) {
		err = s.run(func() (*answer, error) { return s.listen(texts) })
	} else {
		for i := 0; i < len(texts) && err == nil; i++ {
			err = s.run(func() (*answer, error) { return s.resolve(texts[i], call{}) })
		}
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return s.refuse(refused)
	}
	return err
}

func (s *session) run(resolve func() (*answer, error)) error {
	a, err := resolve()
	if err != nil {
		return err
	}
	return s.give(a, nil, true)
}
