package driver

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// script is a transport whose server is a list of answers, one for each request.
type script struct {
	t           *testing.T
	answers     [][]pgproto3.BackendMessage
	requests    []string // what was sent, a letter for each message
	sent        [][]pgproto3.FrontendMessage
	pending     []pgproto3.BackendMessage
	formats     []int16 // that the last request asked its rows in, when it had the portal described
	status      byte
	parameters  map[string]string
	interrupted int
	killed      bool
	sendErr     error
	sending     func() // runs when a request has been sent, when it is not nil
}

var errLost = errors.New("connection lost by the script")

func (s *script) send(request []byte) error {
	if s.sendErr != nil {
		return s.sendErr
	}
	messages := decodeRequest(s.t, request)
	s.sent = append(s.sent, messages)
	letters := ""
	s.formats = nil
	for _, msg := range messages {
		if bind, ok := msg.(*pgproto3.Bind); ok {
			s.formats = bind.ResultFormatCodes
		}
		letters += letter(msg)
	}
	s.requests = append(s.requests, letters)
	if len(s.pending) > 0 && !strings.HasPrefix(letters, "f") {
		s.t.Errorf("request %q was sent before the answer to the last was read", letters)
	}
	if len(s.answers) == 0 {
		s.t.Fatalf("unexpected request %q", letters)
	}
	s.pending, s.answers = append(s.pending, s.answers[0]...), s.answers[1:]
	if s.sending != nil {
		s.sending()
	}
	return nil
}

func (s *script) row() []byte { return nil }

func (s *script) submit(request []byte) error { return s.send(request) }

// letter is the type byte of a message, with what matters of it.
func letter(msg pgproto3.FrontendMessage) string {
	switch msg := msg.(type) {
	case *pgproto3.Parse:
		return "P" + plus(msg.Name)
	case *pgproto3.Bind:
		return "B" + plus(msg.PreparedStatement)
	case *pgproto3.Describe:
		return "D" + string(rune(msg.ObjectType))
	case *pgproto3.Close:
		return "C"
	case *pgproto3.Execute:
		return "E"
	case *pgproto3.Sync:
		return "S"
	case *pgproto3.Query:
		return "Q"
	case *pgproto3.CopyFail:
		return "f"
	}
	return "?"
}

func plus(name string) string {
	if name == "" {
		return ""
	}
	return "+"
}

func (s *script) receive() (pgproto3.BackendMessage, error) {
	if len(s.pending) == 0 {
		return nil, errLost
	}
	msg := s.pending[0]
	s.pending = s.pending[1:]
	switch msg := msg.(type) {
	case *pgproto3.ReadyForQuery:
		s.status = msg.TxStatus
	case *pgproto3.RowDescription:
		return s.inFormats(msg), nil
	}
	return msg, nil
}

// inFormats is d as a server describes rows that were asked for in s.formats.
func (s *script) inFormats(d *pgproto3.RowDescription) *pgproto3.RowDescription {
	fields := slices.Clone(d.Fields)
	for i := range fields {
		if len(s.formats) > 0 {
			fields[i].Format = s.formats[min(i, len(s.formats)-1)]
		}
	}
	return &pgproto3.RowDescription{Fields: fields}
}

func (s *script) kill()                        { s.killed = true }
func (s *script) interrupt()                   { s.interrupted++ }
func (s *script) txStatus() byte               { return s.status }
func (s *script) parameter(name string) string { return s.parameters[name] }

// Answers of the scripted server.
var (
	parsed   = &pgproto3.ParseComplete{}
	bound    = &pgproto3.BindComplete{}
	noData   = &pgproto3.NoData{}
	idle     = &pgproto3.ReadyForQuery{TxStatus: 'I'}
	open     = &pgproto3.ReadyForQuery{TxStatus: 'T'}
	failedTx = &pgproto3.ReadyForQuery{TxStatus: 'E'}
)

func parameters(oids ...uint32) *pgproto3.ParameterDescription {
	return &pgproto3.ParameterDescription{ParameterOIDs: oids}
}

func columnsOf(oid uint32, names ...string) *pgproto3.RowDescription {
	d := &pgproto3.RowDescription{}
	for _, name := range names {
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: []byte(name), DataTypeOID: oid, TypeModifier: -1})
	}
	return d
}

func rowOf(values ...string) *pgproto3.DataRow {
	row := &pgproto3.DataRow{}
	for _, v := range values {
		row.Values = append(row.Values, []byte(v))
	}
	return row
}

func tagOf(tag string) *pgproto3.CommandComplete {
	return &pgproto3.CommandComplete{CommandTag: []byte(tag)}
}

func errorOf(code, routine string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: "scripted", Routine: routine}
}

type answer = []pgproto3.BackendMessage

// textual are the parameters under which results may be read as text.
var textual = map[string]string{"DateStyle": "ISO, MDY", "client_encoding": "UTF8", "standard_conforming_strings": "on"}

// newEngine is an engine over a script.
func newEngine(t *testing.T, threshold int, params map[string]string, answers ...answer) (*engine, *script) {
	s := &script{t: t, answers: answers, status: 'I', parameters: params}
	return &engine{
		transport: s,
		codecs:    newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, nil),
		stmts:     newStatements(threshold, 100),
		shared:    newDescriptions(),
	}, s
}

// finished runs a statement to its end and returns its rows' first values.
func finished(e *engine, sql string, args ...any) (firsts []string, err error) {
	r, err := e.start(call{sql: sql, args: args})
	if err != nil {
		return nil, err
	}
	for {
		if err := r.advance(); err != nil {
			if err == io.EOF {
				return firsts, nil
			}
			return firsts, err
		}
		firsts = append(firsts, string(r.row.values[0]))
	}
}

// used is what the script must have seen when it is over.
func (s *script) used(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.requests, want) {
		t.Errorf("requests = %q, want %q", s.requests, want)
	}
	if len(s.pending) > 0 {
		t.Errorf("%d messages were left unread", len(s.pending))
	}
}

const query = "select $1"

// firstUse answers a statement whose types are learned on the way.
var firstUse = answer{parsed, parameters(25), columnsOf(25, "a"), bound, rowOf("one"), tagOf("SELECT 1"), idle}

// laterUse answers a statement that is known, but not prepared.
var laterUse = answer{parsed, bound, columnsOf(25, "a"), rowOf("two"), tagOf("SELECT 1"), idle}

// preparedUse answers a statement that is prepared.
var preparedUse = answer{bound, rowOf("three"), tagOf("SELECT 1"), idle}

func TestEngineNeedsOneFlush(t *testing.T) {
	t.Parallel()
	e, s := newEngine(t, 2, textual, firstUse, laterUse, firstUse, preparedUse)
	for range 4 {
		if rows, err := finished(e, query, "x"); err != nil || len(rows) != 1 {
			t.Fatalf("%q, %v", rows, err)
		}
	}
	s.used(t, "PDSBES", "PBDPES", "P+DSB+ES", "B+ES")
}

func TestEnginePreparesAtOnce(t *testing.T) {
	t.Parallel()
	e, s := newEngine(t, 0, textual, firstUse, preparedUse)
	for range 2 {
		if rows, err := finished(e, query, "x"); err != nil || len(rows) != 1 {
			t.Fatalf("%q, %v", rows, err)
		}
	}
	s.used(t, "P+DSB+ES", "B+ES")
}

func TestEngineAsksFirstWhereTextIsNotSafe(t *testing.T) {
	t.Parallel()
	described := answer{parsed, parameters(25), columnsOf(25, "a"), idle}
	boundOnly := answer{bound, columnsOf(25, "a"), rowOf("two"), tagOf("SELECT 1"), idle}
	for _, params := range []map[string]string{
		{"DateStyle": "SQL, DMY", "client_encoding": "UTF8"},
		{"DateStyle": "ISO, MDY", "client_encoding": "LATIN1"},
	} {
		e, s := newEngine(t, 5, params, described, boundOnly, laterUse)
		for range 2 {
			if rows, err := finished(e, query, "x"); err != nil || !slices.Equal(rows, []string{"two"}) {
				t.Errorf("%q, %v", rows, err)
			}
		}
		s.used(t, "PDSS", "BDPES", "PBDPES")
	}
}

func TestEngineUnderAPoolerParsesInEveryFlush(t *testing.T) {
	t.Parallel()
	described := answer{parsed, parameters(25), columnsOf(25, "a"), idle}
	e, s := newEngine(t, 0, map[string]string{}, described, laterUse, laterUse)
	e.unnamed = true
	for range 2 {
		if _, err := finished(e, query, "x"); err != nil {
			t.Fatal(err)
		}
	}
	s.used(t, "PDSS", "PBDPES", "PBDPES")
}

func TestEngineCountsArgumentsBeforeAnythingIsBound(t *testing.T) {
	t.Parallel()
	described := answer{parsed, parameters(25), columnsOf(25, "a"), idle}
	e, s := newEngine(t, 5, textual, described)
	for range 2 {
		if _, err := finished(e, query, "x", "y"); err == nil || !strings.Contains(err.Error(), "takes 1 arguments, but 2 were given") {
			t.Errorf("error = %v", err)
		}
	}
	s.used(t, "PDSS")
}

func TestEngineRetriesARefusedPlanOnce(t *testing.T) {
	t.Parallel()
	missing := answer{errorOf("26000", "FetchPreparedStatement"), idle}
	stale := answer{errorOf("0A000", "RevalidateCachedQuery"), idle}
	for name, refusal := range map[string]answer{"vanished": missing, "stale": stale, "retyped": {errorOf("42883", "op_error"), idle}} {
		e, s := newEngine(t, 0, textual, firstUse, refusal, firstUse, preparedUse)
		finished(e, query, "x")
		for range 2 {
			if rows, err := finished(e, query, "x"); err != nil || len(rows) != 1 {
				t.Errorf("%s: %q, %v", name, rows, err)
			}
		}
		s.used(t, "P+DSB+ES", "B+ES", "CP+DSB+ES", "B+ES")
		first, again := s.sent[0][0].(*pgproto3.Parse).Name, s.sent[2][1].(*pgproto3.Parse).Name
		if first == again {
			t.Errorf("%s: the name %q is used again before its Close has been answered", name, first)
		}
	}
	e, s := newEngine(t, 0, textual, firstUse, missing, answer{errorOf("26000", ""), idle})
	finished(e, query, "x")
	if _, err := finished(e, query, "x"); serverCode(err) != "26000" {
		t.Errorf("refused twice: %v, want 26000", err)
	}
	s.used(t, "P+DSB+ES", "B+ES", "CP+DSB+ES")
}

func TestEngineFollowsATableThatGoesOnChanging(t *testing.T) {
	t.Parallel()
	described := answer{parsed, parameters(25), columnsOf(25, "a"), idle}
	stale := answer{errorOf("0A000", "RevalidateCachedQuery"), idle}
	e, _ := newEngine(t, 0, textual, described, stale, described, stale, described, preparedUse)
	st := e.stmts.lookup(query)
	st.pins++ // a *sql.Stmt: it asks first
	r, err := e.startStatement(st, []any{"x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.drain(); err != nil {
		t.Error(err)
	}
}

func TestEngineDoesNotRetryWhatWasBound(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"26000", "0A000", "42804", "22P03"} {
		e, s := newEngine(t, 0, textual, firstUse, answer{bound, errorOf(code, "RevalidateCachedQuery"), idle})
		finished(e, query, "x")
		if _, err := finished(e, query, "x"); serverCode(err) != code || errors.Is(err, ErrStalePlan) {
			t.Errorf("%s: %v", code, err)
		}
		s.used(t, "P+DSB+ES", "B+ES")
	}
}

func TestEngineDoesNotRetryOtherRefusals(t *testing.T) {
	t.Parallel()
	for _, refusal := range []*pgproto3.ErrorResponse{
		errorOf("0A000", "other"), errorOf("22P02", ""), errorOf("42P01", ""), errorOf("57014", ""),
	} {
		e, s := newEngine(t, 0, textual, firstUse, answer{refusal, idle})
		finished(e, query, "x")
		if _, err := finished(e, query, "x"); serverCode(err) != refusal.Code {
			t.Errorf("%v, want %s", err, refusal.Code)
		}
		s.used(t, "P+DSB+ES", "B+ES")
	}
}

func TestEngineNamesAStalePlanInsideATransaction(t *testing.T) {
	t.Parallel()
	e, s := newEngine(t, 0, textual, firstUse, answer{errorOf("0A000", "RevalidateCachedQuery"), failedTx}, firstUse)
	finished(e, query, "x")
	s.status = 'T'
	if _, err := finished(e, query, "x"); !errors.Is(err, ErrStalePlan) || serverCode(err) != "0A000" {
		t.Errorf("error = %v, want ErrStalePlan with 0A000", err)
	}
	if _, err := finished(e, query, "x"); err != nil {
		t.Errorf("the next use: %v", err)
	}
	s.used(t, "P+DSB+ES", "B+ES", "CP+DSB+ES")
}

func TestEngineTakesOtherColumnsThanRemembered(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, -1, textual, firstUse,
		answer{parsed, bound, columnsOf(23, "b", "c"), rowOf("1", "2"), tagOf("SELECT 1"), idle},
		firstUse)
	finished(e, query, "x")
	r, err := e.start(call{sql: query, args: []any{"x"}})
	if err != nil || !slices.Equal(r.names, []string{"b", "c"}) || r.columns[0].oid != 23 {
		t.Fatalf("columns %q, %v", r.names, err)
	}
	if err := r.drain(); err != nil {
		t.Fatal(err)
	}
	if rows, err := finished(e, query, "x"); err != nil || !slices.Equal(rows, []string{"one"}) {
		t.Errorf("the next use: %q, %v", rows, err)
	}
}

func TestEngineReportsALateError(t *testing.T) {
	t.Parallel()
	late := answer{parsed, parameters(25), columnsOf(25, "a"), bound, rowOf("one"), tagOf("SELECT 1"), errorOf("23503", ""), idle}
	e, s := newEngine(t, 5, textual, late)
	rows, err := finished(e, query, "x")
	if serverCode(err) != "23503" || len(rows) != 1 {
		t.Errorf("%q, %v, want the row and then 23503", rows, err)
	}
	s.used(t, "PDSBES")
	noRows := answer{parsed, parameters(25), noData, bound, tagOf("INSERT 0 1"), errorOf("23503", ""), idle}
	e, _ = newEngine(t, 5, textual, noRows)
	if _, err := e.start(call{sql: "insert $1", args: []any{"x"}}); serverCode(err) != "23503" {
		t.Errorf("start = %v, want 23503", err)
	}
}

func TestEngineReportsALostConnection(t *testing.T) {
	t.Parallel()
	full := append(answer(nil), firstUse...)
	for n := range len(full) {
		e, _ := newEngine(t, 5, textual, full[:n])
		if rows, err := finished(e, query, "x"); !errors.Is(err, errLost) {
			t.Errorf("lost after %d messages: %q, %v", n, rows, err)
		}
		e, _ = newEngine(t, 5, textual, full[:n])
		r, err := e.start(call{sql: query, args: []any{"x"}})
		if err == nil {
			err = r.drain()
		}
		if !errors.Is(err, errLost) {
			t.Errorf("lost after %d messages, drained: %v", n, err)
		}
	}
	failure := errors.New("no write")
	e, s := newEngine(t, 5, textual)
	s.sendErr = failure
	if _, err := e.start(call{sql: query, args: []any{"x"}}); err != failure {
		t.Errorf("start = %v, want %v", err, failure)
	}
}

func TestEngineRefusesCopyInOnTheWire(t *testing.T) {
	t.Parallel()
	// Under the extended protocol the server has eaten the first Sync.
	e, s := newEngine(t, 5, textual,
		answer{parsed, parameters(), noData, bound, &pgproto3.CopyInResponse{}},
		answer{errorOf("57014", ""), idle})
	if _, err := e.start(call{sql: "execute hidden", args: nil}); !errors.Is(err, errCopy) {
		t.Errorf("error = %v, want the refusal", err)
	}
	s.used(t, "PDSBES", "fS")
	e, s = newEngine(t, 5, textual, answer{&pgproto3.CopyInResponse{}}, answer{errorOf("57014", ""), idle})
	if _, err := e.start(call{sql: "select 1; copy t from stdin", args: nil}); !errors.Is(err, errCopy) {
		t.Errorf("error = %v, want the refusal", err)
	}
	s.used(t, "Q", "f")
}

func TestEngineRefusesCopyOutOnTheWire(t *testing.T) {
	t.Parallel()
	e, s := newEngine(t, 5, textual, answer{&pgproto3.CopyOutResponse{}, &pgproto3.CopyData{Data: []byte("x")}, errorOf("57014", ""), idle})
	if _, err := e.start(call{sql: "select 1; copy t to stdout", args: nil}); !errors.Is(err, errCopy) {
		t.Errorf("error = %v, want the refusal", err)
	}
	if s.used(t, "Q"); s.interrupted != 1 {
		t.Errorf("interrupted %d times, want once", s.interrupted)
	}
}

func TestEngineSeparatesResultSets(t *testing.T) {
	t.Parallel()
	e, s := newEngine(t, 5, textual, answer{
		tagOf("INSERT 0 1"), columnsOf(25, "a"), rowOf("1"), tagOf("SELECT 1"), tagOf("UPDATE 3"),
		columnsOf(25, "b", "c"), tagOf("SELECT 0"), &pgproto3.EmptyQueryResponse{}, columnsOf(25, "d"), rowOf("2"), rowOf("3"), tagOf("SELECT 2"), idle,
	})
	r, err := e.start(call{sql: "a; b", args: nil})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	order := []string{}
	for {
		order = append(order, r.names...)
		for r.advance() == nil {
			got[r.names[0]]++
		}
		if err := r.nextSet(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(order, []string{"a", "b", "c", "d"}) || !reflect.DeepEqual(got, map[string]int{"a": 1, "d": 2}) {
		t.Errorf("columns %q, rows %v", order, got)
	}
	s.used(t, "Q")
}

func TestDescribeKeepsTheServersErrorOfALostConnection(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, 5, map[string]string{}, answer{errorOf("42P01", "")})
	_, err := e.start(call{sql: query, args: []any{"x"}})
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || !errors.Is(err, errLost) {
		t.Errorf("error = %v, want both", err)
	}
}

func TestEngineSendsNothingBehindAResetThatFails(t *testing.T) {
	t.Parallel()
	refused := answer{parsed, bound, errorOf("57014", ""), idle, errorOf("26000", ""), idle}
	e, s := newEngine(t, 0, textual, refused)
	e.reset.statements = []string{"reset role", "reset all"}
	_, err := finished(e, query, "x")
	var retry *retryError
	if !errors.As(err, &retry) || serverCode(err) != "57014" || !s.killed {
		t.Errorf("error = %v, killed %v, want ErrBadConn for the first failure", err, s.killed)
	}
	if !slices.Equal(s.requests, []string{"PBEPBEP+SB+CP+DSB+ES"}) {
		t.Errorf("requests = %q", s.requests)
	}
}

func TestEngineReadsPastAReset(t *testing.T) {
	t.Parallel()
	ran := answer{parsed, bound, rowOf("unlocked"), tagOf("SELECT 1"), parsed, idle, bound, &pgproto3.CloseComplete{}}
	e, s := newEngine(t, 5, textual, append(ran, firstUse...), laterUse)
	e.reset.statements = []string{"select unlock()"}
	for _, want := range []string{"one", "two"} {
		if rows, err := finished(e, query, "x"); err != nil || !slices.Equal(rows, []string{want}) {
			t.Errorf("%q, %v", rows, err)
		}
	}
	s.used(t, "PBEP+SB+CPDSBES", "PBDPES")
}
