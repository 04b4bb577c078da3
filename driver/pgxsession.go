package driver

import "github.com/jackc/pgx/v5"

// pgxSession is what the driver knows of a connection of a [PgxSource]. A pool's connection carries it from one user to
// the next, so that statements stay prepared.
type pgxSession struct {
	link   link
	tracer pgx.QueryTracer
	mode   pgx.QueryExecMode
	owner  *Connector  // who used the connection last
	stmts  *statements // that were prepared on it, nil at first
}

// sessionKey is where pgconn keeps the session.
const sessionKey = "github.com/pycopg/pycopg/driver"

func pgxSessionOf(pc PgxConn) *pgxSession {
	data := pc.Conn.PgConn().CustomData()
	if s, ok := data[sessionKey].(*pgxSession); ok {
		return s
	}
	cfg := pc.Conn.Config()
	s := &pgxSession{tracer: cfg.Tracer, mode: cfg.DefaultQueryExecMode, link: newPgxLink(pc, cfg)}
	s.link.session = s
	data[sessionKey] = s
	return s
}

// recall is what c goes on with: the statements that the last user of the connection prepared. Their names are taken on
// the server even where it was another connector, which knew them under its own settings.
func (s *pgxSession) recall(c *Conn) *statements {
	s.stmts.threshold, s.stmts.max = c.engine.stmts.threshold, c.engine.stmts.max
	if s.owner != c.connector {
		s.stmts.reset()
	}
	return s.stmts
}

// keep leaves c's statements for the next user of the connection.
func (s *pgxSession) keep(c *Conn) {
	s.owner, s.stmts = c.connector, c.engine.stmts
	for _, st := range s.stmts.bySQL {
		st.pins = 0
	}
	if c.lent {
		s.stmts.reset()
	}
}
