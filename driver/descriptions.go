package driver

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgproto3"
)

// descriptions is what the connections of a pool know of statements together: a further connection need not ask for the
// types that one has learned. It also carries the schema epoch: a stale plan found on one connection has the others
// ask again before they fail.
type descriptions struct {
	epoch atomic.Uint64
	sync.RWMutex
	known map[string]*description
	bytes int
}

// description is what the server says of a statement. It is shared, and not changed once it is known.
type description struct {
	params  []uint32
	columns []column // as Describe gives them, formats and decoders for the formats to ask for
	formats []int16
	names   []string
}

func newDescriptions() *descriptions {
	return &descriptions{known: make(map[string]*description)}
}

// find returns what is known of sql, nil when nothing is, and the epoch.
func (d *descriptions) find(sql string) (*description, uint64) {
	d.RLock()
	defer d.RUnlock()
	return d.known[sql], d.epoch.Load()
}

// learn shares a description. When there are too many it starts anew: asking again costs one round trip each.
func (d *descriptions) learn(sql string, k *description, epoch uint64) {
	d.Lock()
	defer d.Unlock()
	if epoch != d.epoch.Load() || d.known[sql] != nil {
		return
	}
	if len(d.known) >= maxTexts || d.bytes+len(sql) > maxTextBytes {
		clear(d.known)
		d.bytes = 0
	}
	d.known[sql] = k
	d.bytes += len(sql)
}

// current is the schema epoch.
func (d *descriptions) current() uint64 { return d.epoch.Load() }

// stale begins a new epoch, unless the description that turned out stale was of an earlier one.
func (d *descriptions) stale(epoch uint64) {
	d.Lock()
	defer d.Unlock()
	if epoch == d.epoch.Load() {
		d.begin()
	}
}

// changed begins a new epoch: the schema is another one.
func (d *descriptions) changed() {
	d.Lock()
	defer d.Unlock()
	d.begin()
}

func (d *descriptions) begin() {
	d.epoch.Add(1)
	clear(d.known)
	d.bytes = 0
}

// describe asks the server for the types of a statement, in a round trip of its own, and prepares it on the way when its
// time has come.
func (e *engine) describe(st *statement, wanted *bool) error {
	buf := e.open()
	name := ""
	prepare := !e.unnamed && e.stmts.prepareNow(st, wanted)
	if prepare {
		name = st.name
	}
	buf = appendParse(buf, name, st.sql, nil)
	buf = appendDescribe(buf, 'S', name)
	buf = appendSync(buf)
	if err := e.dispatch(buf); err != nil {
		return err
	}
	return e.readDescription(st, prepare)
}

func (e *engine) readDescription(st *statement, prepare bool) error {
	var failure error
	desc := &description{}
	for {
		msg, err := e.next()
		if err != nil {
			return errors.Join(failure, err)
		}
		switch msg := msg.(type) {
		case *pgproto3.ParseComplete:
			if prepare {
				e.stmts.isPrepared(st)
			}
		case *pgproto3.ParameterDescription:
			desc.params = append([]uint32(nil), msg.ParameterOIDs...)
		case *pgproto3.RowDescription:
			desc.setColumns(e.codecs, e.codecs.columns(msg))
		case *pgproto3.ErrorResponse:
			failure = newServerError(msg).of(st.sql)
		case *pgproto3.ReadyForQuery:
			if failure == nil {
				e.remember(st, desc)
			}
			return failure
		}
	}
}

// remember records what the server said of st, for all connections where it means the same on all.
func (e *engine) remember(st *statement, desc *description) {
	st.desc, st.epoch = desc, e.asOf // by the end of the request the schema may be another one
	if !st.own && !e.alone() {
		e.shared.learn(st.sql, desc, st.epoch)
	}
}

// recall brings what is known of st up to the pool's knowledge: nothing of an earlier schema epoch, and what another
// connection has learned.
func (e *engine) recall(st *statement) {
	if epoch := e.shared.current(); st.desc != nil && st.epoch != epoch {
		e.stmts.unprepare(st)
		st.desc, st.own = nil, e.stmts.hidden(st.sql)
	}
	if st.desc == nil && !st.own && !e.alone() {
		st.desc, st.epoch = e.shared.find(st.sql)
	}
}

// setColumns records the result columns and the formats to ask for.
func (d *description) setColumns(c *codecs, columns []column) {
	d.columns = columns
	d.formats = make([]int16, len(columns))
	for i := range columns {
		d.formats[i] = c.resultFormat(columns[i].oid)
		columns[i].format = d.formats[i]
		columns[i].decode = c.decoder(columns[i].oid, d.formats[i])
		columns[i].own = ownFormOf(columns[i].oid, d.formats[i])
	}
	d.names = columnNames(columns)
}

func columnNames(columns []column) []string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].name
	}
	return names
}

// columns copies a RowDescription, which lives in shared memory.
func (c *codecs) columns(msg *pgproto3.RowDescription) []column {
	columns := make([]column, len(msg.Fields))
	for i := range msg.Fields {
		f := &msg.Fields[i]
		columns[i] = column{
			name: string(f.Name), oid: f.DataTypeOID, table: f.TableOID, attnum: f.TableAttributeNumber,
			size: f.DataTypeSize, typmod: f.TypeModifier, format: f.Format,
			decode: c.decoder(f.DataTypeOID, f.Format), own: ownFormOf(f.DataTypeOID, f.Format),
		}
	}
	return columns
}
