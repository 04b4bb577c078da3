package driver

import "maps"

// serverStatement is a statement as the server holds it for a pipeline: unnamed, or under a name.
type serverStatement struct {
	st       *statement
	name     string
	params   []uint32     // the types that the server was told; 0 left one to it, which gets the value's text
	formats  []int16      // to ask for, of the result
	columns  []column     // of the result, in these formats
	text     []column     // of the result in text, for who asked before the columns were known
	recalled bool         // the description was remembered from before
	learning *description // what the server is to tell of it, nil when it was not asked or has told

	asOf    uint64 // the schema epoch in which it was sent
	start   int    // where in the buffer its Parse begins
	segment int    // in which its Parse was sent
	taken   bool   // the server has taken it
}

// hold finds a statement that fits the call, or appends a Parse, and reports which. It is nil where the pipeline has failed
// meanwhile. Its error is the loss of the connection.
func (p *pipeline) hold(k call) (h *serverStatement, parses bool, err error) {
	e := p.engine
	st := e.stmts.lookup(k.sql)
	e.recall(st)
	if st.renames {
		p.rename()
	}
	if st.desc != nil {
		if err := p.learnTypes(st.desc.params, k.args); err != nil || p.failed {
			return nil, false, err
		}
	}
	if h := p.usable(st, k); h != nil {
		return h, false, nil
	}
	plain := e.textIsSafe() && countPlaceholders(k.sql, e.standardStrings()) == len(k.args)
	if st.desc == nil && !(plain && p.allPlain(nil, k.args)) {
		if err := p.describe(st, k.args); err != nil || p.failed {
			return nil, false, err
		}
		if h := p.usable(st, k); h != nil {
			return h, false, nil
		}
	}
	if st.desc != nil {
		if err := e.checkCount(st, k.args); err != nil {
			p.refuse(err)
			return nil, false, nil
		}
	}
	return p.parse(st, k, plain), true, nil
}

// rename gets ready for a statement that may change what names stand for: nothing that is known counts behind it.
func (p *pipeline) rename() {
	p.engine.renames()
	p.engine.stmts.reset()
	p.parsed, p.nameless = nil, true
	clear(p.named)
}

// usable is what the server holds of st, where it fits the arguments; else nil.
func (p *pipeline) usable(st *statement, k call) *serverStatement {
	e := p.engine
	wanted := k.options.Prepare
	h := p.named[st]
	if h != nil && h.taken && !st.prepared { // the plan is stale
		delete(p.named, st)
		h = nil
	}
	if h == nil && st.prepared && st.desc != nil && !p.nameless {
		h = &serverStatement{
			st: st, name: st.name, params: st.desc.params, formats: st.desc.formats, columns: st.desc.columns,
			recalled: true, taken: true,
		}
		p.named[st] = h
	}
	if h != nil && p.fits(h, k.args) && (wanted == nil || *wanted) {
		return h
	}
	if h == nil && p.mayName() && e.stmts.prepareNow(st, wanted) {
		return nil
	}
	if h = p.parsed; h != nil && h.st == st && p.fits(h, k.args) {
		return h
	}
	return nil
}

func (p *pipeline) mayName() bool { return !p.nameless && !p.engine.unnamed }

// fits reports whether h will be there when the server comes to the statement, and takes the arguments.
func (p *pipeline) fits(h *serverStatement, args []any) bool {
	return (h.taken || h.segment == p.segment) && len(args) == len(h.params) && p.allPlain(h.params, args)
}

// allPlain reports whether the arguments whose types were left to the server have one text for all types. Without params
// none has a type.
func (p *pipeline) allPlain(params []uint32, args []any) bool {
	for i, arg := range args {
		if (params == nil || params[i] == 0) && !p.engine.codecs.sameForAllTypes(arg) {
			return false
		}
	}
	return true
}

// parse appends a Parse of st, and a name when its time has come. What the server is told of the types, and what it is
// asked, follows the rules of a single statement: see learnsByText and attempt.
func (p *pipeline) parse(st *statement, k call, plain bool) *serverStatement {
	e := p.engine
	h := &serverStatement{st: st, asOf: e.shared.current(), start: len(p.buf), segment: p.segment, params: make([]uint32, len(k.args))}
	prepare := p.named[st] == nil && p.mayName() && e.stmts.prepareNow(st, k.options.Prepare)
	if prepare {
		h.name = st.name
		p.named[st] = h
	} else {
		p.parsed = h
	}
	plainArg := func(i int) bool { return plain && e.codecs.sameForAllTypes(k.args[i]) }
	learn := st.desc == nil
	if !learn {
		learn = prepare && plain && p.allPlain(nil, k.args)
	}
	if !learn {
		h.recalled, h.formats, h.columns = true, st.desc.formats, st.desc.columns
		for i, oid := range st.desc.params {
			if prepare || !plainArg(i) {
				h.params[i] = oid
			}
		}
	}
	p.buf = appendParse(p.buf, h.name, st.sql, h.params)
	if learn {
		h.learning = &description{}
		p.buf = appendDescribe(p.buf, 'S', h.name)
	}
	return h
}

// bind appends the execution of h, behind its Parse where parses says so. Its error is that of an argument.
func (p *pipeline) bind(h *serverStatement, parses bool, k call, rows bool) error {
	buf, err := appendBind(p.buf, h.name, len(k.args), func(dst []byte, i int) ([]byte, int16, error) {
		if h.params[i] == 0 {
			out, _, err := p.engine.codecs.appendTextParam(dst, k.args[i])
			return out, textFormat, err
		}
		return p.engine.codecs.appendParam(dst, h.params[i], k.args[i])
	}, h.formats)
	if err != nil {
		if parses {
			p.buf = p.buf[:h.start]
			p.forget(h)
		}
		return err
	}
	if parses && rows && h.learning == nil {
		buf = appendDescribe(buf, 'P', "")
	}
	p.buf = appendExecute(buf)
	h.st.uses++
	if p.inTx && !p.mayCommit {
		p.mayCommit = endsTx(k.sql)
	}
	_, trace := p.conn.traceStart(p.ctx, QueryStart{SQL: k.sql, Args: k.args, Prepared: h.taken && h.name != ""})
	p.push(request{
		kind: runRequest, index: p.count, held: h, parses: parses, inText: h.learning != nil, keep: rows, trace: trace,
	})
	return nil
}

// endsTx reports whether sql may commit the open transaction.
func endsTx(sql string) bool {
	l := lexer{sql: sql, standard: true}
	t := l.next()
	return t.is("commit") || t.is("end") || t.is("prepare")
}

// describe asks for the types of a statement and waits for the answer.
func (p *pipeline) describe(st *statement, args []any) error {
	h := &serverStatement{st: st, asOf: p.engine.shared.current(), segment: p.segment, learning: &description{}}
	p.parsed = h
	p.buf = appendParse(p.buf, "", st.sql, nil)
	p.buf = appendDescribe(p.buf, 'S', "")
	p.buf = appendFlush(p.buf)
	p.push(request{kind: describeRequest, index: p.count, held: h, parses: true})
	if err := p.await(func() bool { return h.learning == nil }); err != nil || p.failed {
		return err
	}
	return p.learnTypes(h.params, args)
}

// learnTypes asks for the database's own types that the arguments need, and waits for the answer.
func (p *pipeline) learnTypes(params []uint32, args []any) error {
	for range 2 { // the types, then those of the elements of arrays
		oids := p.engine.codecs.missing(params, args)
		if len(oids) == 0 {
			return nil
		}
		list, found := typesToAsk(oids)
		p.parsed = nil
		p.buf = appendParse(p.buf, "", userTypesQuery, nil)
		p.buf, _ = appendBind(p.buf, "", 1, func(dst []byte, _ int) ([]byte, int16, error) {
			dst, _, err := p.engine.codecs.appendTextParam(dst, list)
			return dst, textFormat, err
		}, nil) // digits and commas: no error
		p.buf = appendFlush(appendExecute(p.buf))
		answered := false
		p.push(request{kind: typesRequest, index: p.count, types: found, told: &answered})
		if err := p.await(func() bool { return answered }); err != nil || p.failed {
			return err
		}
		p.engine.codecs.user.learn(found)
	}
	return nil
}

// took notes that the server has taken h.
func (p *pipeline) took(h *serverStatement) {
	h.taken = true
	if h.name == "" {
		return
	}
	stmts := p.engine.stmts
	if stmts.bySQL[h.st.sql] != h.st || h.st.name != h.name { // forgotten meanwhile
		stmts.closing = append(stmts.closing, h.name)
		p.forget(h)
		return
	}
	stmts.isPrepared(h.st)
}

// forget notes that the server does not hold h.
func (p *pipeline) forget(h *serverStatement) {
	if p.parsed == h {
		p.parsed = nil
	}
	maps.DeleteFunc(p.named, func(_ *statement, other *serverStatement) bool { return other == h })
}

// told takes the description of h that was asked for. It comes in text.
func (p *pipeline) told(h *serverStatement, columns []column) {
	h.text = columns
	h.learning.setColumns(p.engine.codecs, append([]column(nil), columns...))
	p.engine.asOf = h.asOf
	p.engine.remember(h.st, h.learning)
	h.params, h.formats, h.columns = h.learning.params, h.learning.formats, h.learning.columns
	h.learning = nil
}

// differs takes columns that are others than were remembered.
func (p *pipeline) differs(h *serverStatement, columns []column) {
	h.columns = columns
	p.engine.stmts.unprepare(h.st)
	h.st.desc, h.st.own = nil, true
}
