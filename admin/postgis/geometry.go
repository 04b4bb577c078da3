package postgis

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
	"github.com/twpayne/go-geom/encoding/geojson"
)

// Geometry is a value of the types geometry and geography: an argument, a scan destination, a field of a struct for package
// ext. A nil T is NULL. Its SRID is T.SRID(); a geography takes 0 for 4326.
//
// As JSON it is a GeoJSON geometry, which has no SRID: what is decoded has 4326, as RFC 7946 says.
type Geometry struct{ geom.T }

var (
	_ sql.Scanner      = (*Geometry)(nil)
	_ sqldriver.Valuer = Geometry{}
	_ json.Marshaler   = Geometry{}
	_ json.Unmarshaler = (*Geometry)(nil)
)

// IsNull reports whether there is no geometry.
func (g Geometry) IsNull() bool {
	v := reflect.ValueOf(g.T)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// Value implements [sqldriver.Valuer]: EWKB in hexadecimal, which PostGIS reads as text.
func (g Geometry) Value() (sqldriver.Value, error) {
	if g.IsNull() {
		return nil, nil
	}
	data, err := ewkb.Marshal(g.T, ewkb.NDR)
	if err != nil {
		return nil, fmt.Errorf("postgis: encode %T: %w", g.T, err)
	}
	return hex.EncodeToString(data), nil
}

// Scan implements [sql.Scanner]: it takes EWKB or WKB, binary or in hexadecimal, as PostGIS gives geometries and geographies,
// ST_AsEWKB and ST_AsBinary.
func (g *Geometry) Scan(src any) error {
	var data []byte
	switch src := src.(type) {
	case nil:
		g.T = nil
		return nil
	case string:
		data = []byte(src)
	case []byte:
		data = src
	default:
		return fmt.Errorf("postgis: cannot read a geometry from %T", src)
	}
	t, err := decode(data)
	if err != nil {
		return fmt.Errorf("postgis: read a geometry: %w", err)
	}
	g.T = t
	return nil
}

// decode reads EWKB. Its first byte is 0 or 1, in hexadecimal a digit.
func decode(data []byte) (geom.T, error) {
	if len(data) > 0 && data[0] == '0' {
		raw := make([]byte, hex.DecodedLen(len(data)))
		if _, err := hex.Decode(raw, data); err != nil {
			return nil, err
		}
		data = raw
	}
	if err := wellFormed(data); err != nil {
		return nil, err
	}
	return ewkb.Unmarshal(data)
}

// MarshalJSON implements [json.Marshaler]: a GeoJSON geometry, or null.
func (g Geometry) MarshalJSON() ([]byte, error) {
	if g.IsNull() {
		return []byte("null"), nil
	}
	return geojson.Marshal(g.T)
}

// UnmarshalJSON implements [json.Unmarshaler]: a GeoJSON geometry, with the SRID 4326, or null.
func (g *Geometry) UnmarshalJSON(data []byte) error {
	var t geom.T
	if string(data) != "null" {
		if err := geojson.Unmarshal(data, &t); err != nil {
			return fmt.Errorf("postgis: read GeoJSON: %w", err)
		}
		with, err := geom.SetSRID(t, 4326)
		if err != nil {
			return fmt.Errorf("postgis: read GeoJSON: %w", err)
		}
		t = with
	}
	g.T = t
	return nil
}
