package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"encoding/binary"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

type Compat string

const (
	CompatPgx Compat = "pgx"
	CompatPq  Compat = "pq"
)

type ResetPolicy string

const (
	ResetTx      ResetPolicy = "tx"
	ResetNone    ResetPolicy = "none"
	ResetSession ResetPolicy = "session"
	ResetDiscard ResetPolicy = "discard"
)

type Pooler string

const PoolerTransaction Pooler = "transaction"

type RowsClose string

const RowsCloseCancel RowsClose = "cancel"

type Config struct {
	dsn                           string
	PrepareThreshold, PreparedMax int
	CancelTimeout, PingAfter      time.Duration
	Compat                        Compat
	Begin                         BeginMode
	Reset                         ResetPolicy
	Pooler                        Pooler
	RowsClose                     RowsClose
	OnNotice                      func(*Conn, Notice)
	OnNotification                func(*Conn, Notification)
	AfterConnect                  func(context.Context, *Conn) error
	OnQueryStart                  func(context.Context, QueryStart) context.Context
	OnQueryEnd                    func(context.Context, QueryEnd)
}

func (c *Config) Clone() *Config     { d := *c; return &d }
func (c *Config) wantsPrimary() bool { return false }
func ParseConfig(s string) (*Config, error) {
	return &Config{dsn: s, PrepareThreshold: 5, PreparedMax: 100, CancelTimeout: 2 * time.Second}, nil
}

type HostSpec struct {
	Host string
	Port uint16
}
type link struct {
	px      *pgx.Conn
	host    HostSpec
	address string
	network string
}
type ConnectError struct{}

func (*ConnectError) Error() string { return "" }
func (c *Config) connect(ctx context.Context, install func(*pgconn.Config)) (*link, error) {
	pc, err := pgx.ParseConfig(c.dsn)
	if err != nil {
		return nil, err
	}
	pc.StatementCacheCapacity, pc.DescriptionCacheCapacity = 0, 0
	pc.RuntimeParams["datestyle"] = "ISO"
	pc.RuntimeParams["client_encoding"] = "UTF8"
	install(&pc.Config)
	px, err := pgx.ConnectConfig(ctx, pc)
	if err != nil {
		return nil, err
	}
	return &link{px: px, network: "tcp", address: net.JoinHostPort(pc.Host, strconv.Itoa(int(pc.Port)))}, nil
}
func (l *link) redial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, l.network, l.address)
}

type decoder func(c *codecs, src []byte) (sqldriver.Value, error)
type codecs struct{ types *pgtype.Map }

func newCodecs(m *pgtype.Map, cfg *Config, status func(string) string) *codecs { return &codecs{m} }
func (c *codecs) resultFormat(oid uint32) int16                                { return 0 }
func (c *codecs) decoder(oid uint32, f int16) decoder {
	return func(c *codecs, src []byte) (sqldriver.Value, error) {
		switch oid {
		case 20, 21, 23:
			return strconv.ParseInt(string(src), 10, 64)
		}
		return string(src), nil
	}
}
func (c *codecs) appendTextParam(dst []byte, a any) ([]byte, bool, error) {
	if a == nil {
		return binary.BigEndian.AppendUint32(dst, 0xffffffff), true, nil
	}
	s := fmt.Sprint(a)
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...), true, nil
}
func (c *codecs) appendParam(dst []byte, oid uint32, a any) ([]byte, int16, error) {
	d, _, err := c.appendTextParam(dst, a)
	return d, 0, err
}
func checkArg(v any) (any, error)                                 { return sqldriver.DefaultParameterConverter.ConvertValue(v) }
func scanType(oid uint32, c Compat) reflect.Type                  { return nil }
func typeLength(oid uint32, t int32) (int64, bool)                { return 0, false }
func typePrecisionScale(oid uint32, t int32) (int64, int64, bool) { return 0, 0, false }
func builtinTypeName(oid uint32) (string, bool)                   { return "", false }

type BeginMode string

const (
	BeginAuto  BeginMode = "auto"
	BeginEager BeginMode = "eager"
	BeginLazy  BeginMode = "lazy"
)
