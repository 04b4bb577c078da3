package mock

import (
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// prepared is a statement of the extended protocol.
type prepared struct {
	sql     string
	types   []uint32 // of the parameters, as they were described or declared
	columns []column // as they were described, nil: not
}

// portal is a statement with arguments, and its answer once it was asked for.
type portal struct {
	*prepared
	args      []any
	formats   []int16
	answer    *answer
	described bool
}

// extended answers a message of the extended protocol. A *pgconn.PgError is the answer, any other error ends the connection.
func (s *session) extended(msg pgproto3.FrontendMessage) error {
	switch msg := msg.(type) {
	case *pgproto3.Parse:
		s.statements[msg.Name] = &prepared{sql: msg.Query, types: append([]uint32(nil), msg.ParameterOIDs...)}
		s.out.send(&pgproto3.ParseComplete{})
	case *pgproto3.Bind:
		return s.bind(msg)
	case *pgproto3.Describe:
		if msg.ObjectType == 'S' {
			return s.describe(msg.Name)
		}
		return s.describePortal(msg.Name)
	case *pgproto3.Execute:
		return s.execute(msg.Portal)
	case *pgproto3.Close:
		if msg.ObjectType == 'S' {
			delete(s.statements, msg.Name)
		}
		s.out.send(&pgproto3.CloseComplete{})
	case *pgproto3.Flush:
		s.out.flush()
	}
	return nil
}

// describe tells the types of a statement: those of the expectation that it is going to meet.
func (s *session) describe(name string) error {
	st, ok := s.statements[name]
	if !ok {
		return PgError("26000", Fields{Message: "prepared statement " + strconv.Quote(name) + " does not exist"})
	}
	e, k := s.staged()
	if e == nil {
		e = s.mock.peek(st.sql)
	}
	st.types = s.parameterTypes(st, e, k)
	s.out.send(&pgproto3.ParameterDescription{ParameterOIDs: st.types})
	var sets []resultSet
	if q, ok := questionOf(st.sql); ok {
		sets = []resultSet{{columns: q.columns}}
	} else if e != nil {
		s.mock.mu.Lock()
		sets, _ = e.resultSets() // its error is told when the statement runs
		s.mock.mu.Unlock()
	}
	if len(sets) == 0 {
		s.out.send(&pgproto3.NoData{})
		return nil
	}
	st.columns = sets[0].columns
	s.out.send(rowDescription(st.columns, nil))
	return nil
}

var placeholder = regexp.MustCompile(`\$([0-9]+)`)

// parameterTypes are what the expectation says, else what suits the arguments, else text.
func (s *session) parameterTypes(st *prepared, e *expectation, k call) []uint32 {
	n := len(st.types)
	for _, m := range placeholder.FindAllStringSubmatch(st.sql, -1) {
		number, _ := strconv.Atoi(m[1])
		n = max(n, number)
	}
	types := make([]uint32, n)
	args := k.args
	if e != nil && args == nil {
		args = e.args
	}
	for i := range types {
		types[i] = pgtype.TextOID
		switch {
		case i < len(st.types) && st.types[i] != 0:
			types[i] = st.types[i]
		case e != nil && len(e.types) == n:
			types[i] = e.types[i]
		case len(args) == n:
			if converted, err := driver.ConvertArgs(args[i : i+1]); err == nil {
				types[i] = typeOf(converted[0])
			}
		}
	}
	return types
}

func (s *session) bind(msg *pgproto3.Bind) error {
	st, ok := s.statements[msg.PreparedStatement]
	if !ok {
		return PgError("26000", Fields{Message: "prepared statement " + strconv.Quote(msg.PreparedStatement) + " does not exist"})
	}
	p := &portal{prepared: st, formats: append([]int16(nil), msg.ResultFormatCodes...)}
	codec := driver.NewCopyCodec()
	for i, b := range msg.Parameters {
		p.args = append(p.args, argument(codec, st.types, i, formatOf(msg.ParameterFormatCodes, i), b))
	}
	s.portals[msg.DestinationPortal] = p
	s.out.send(&pgproto3.BindComplete{})
	return nil
}

// argument is a parameter's value as a Go value, its text where it has none.
func argument(codec *driver.CopyCodec, types []uint32, i int, format int16, b []byte) any {
	if b == nil {
		return nil
	}
	var oid uint32 = pgtype.TextOID
	if i < len(types) && types[i] != 0 {
		oid = types[i]
	}
	decode := codec.DecodeText
	if format == 1 {
		decode = codec.DecodeBinary
	}
	v, err := decode(oid, append([]byte(nil), b...))
	if err != nil {
		return string(b)
	}
	return v
}

// resolvePortal finds the answer of a portal, once.
func (s *session) resolvePortal(name string) (*portal, error) {
	p, ok := s.portals[name]
	if !ok {
		return nil, PgError("34000", Fields{Message: "portal " + strconv.Quote(name) + " does not exist"})
	}
	if p.answer != nil {
		return p, nil
	}
	a, err := s.resolve(p.sql, call{args: p.args, types: p.types})
	p.answer = a
	return p, err
}

func (s *session) describePortal(name string) error {
	p, err := s.resolvePortal(name)
	if err != nil {
		return err
	}
	if p.answer.err == nil && len(p.answer.sets) > 0 {
		p.described = true
		s.out.send(rowDescription(p.answer.sets[0].columns, p.formats))
		return nil
	}
	s.out.send(&pgproto3.NoData{})
	return nil
}

func (s *session) execute(name string) error {
	p, err := s.resolvePortal(name)
	if err != nil {
		return err
	}
	a := *p.answer
	delete(s.portals, name)
	if sets := a.sets; !p.described && len(sets) > 0 && len(sets[0].columns) == len(p.columns) {
		a.sets = []resultSet{{columns: p.columns, rows: sets[0].rows, failure: sets[0].failure}} // the types that the client knows
	}
	return s.give(&a, p.formats, false)
}
