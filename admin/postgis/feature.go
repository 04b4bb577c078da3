package postgis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom"
)

// Feature is a geometry with properties.
type Feature struct {
	ID         any // a string, a number, or nil for none
	Geometry   Geometry
	Properties map[string]any // what is read from JSON has json.Number for numbers, which stay exact
}

// FeatureCollection are features as GeoJSON exchanges them.
type FeatureCollection struct {
	// SRID is that of the coordinates; 0 and 4326 are longitude and latitude, as RFC 7946 says. In JSON any other is named by
	// the member "crs" of GeoJSON's first edition (2008), which most programs read.
	SRID     int
	Features []Feature
}

var (
	_ json.Marshaler   = FeatureCollection{}
	_ json.Unmarshaler = (*FeatureCollection)(nil)
)

type jsonFeature struct {
	Type       string         `json:"type"`
	ID         any            `json:"id,omitempty"`
	Geometry   Geometry       `json:"geometry"`
	Properties map[string]any `json:"properties"`
}

type jsonCollection struct {
	Type     string        `json:"type"`
	CRS      *jsonCRS      `json:"crs,omitempty"`
	Features []jsonFeature `json:"features"`
}

type jsonCRS struct {
	Type       string            `json:"type"`
	Properties map[string]string `json:"properties"`
}

// MarshalJSON implements [json.Marshaler].
func (fc FeatureCollection) MarshalJSON() ([]byte, error) {
	c := jsonCollection{Type: "FeatureCollection", Features: make([]jsonFeature, len(fc.Features))}
	if fc.SRID != 0 && fc.SRID != wgs84 {
		c.CRS = &jsonCRS{Type: "name", Properties: map[string]string{"name": "urn:ogc:def:crs:EPSG::" + strconv.Itoa(fc.SRID)}}
	}
	for i, f := range fc.Features {
		c.Features[i] = jsonFeature{Type: "Feature", ID: f.ID, Geometry: f.Geometry, Properties: f.Properties}
	}
	return json.Marshal(c)
}

// UnmarshalJSON implements [json.Unmarshaler]. A "crs" must name an EPSG code, or CRS84, which is 4326 with longitude first.
func (fc *FeatureCollection) UnmarshalJSON(data []byte) error {
	var c jsonCollection
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		return fmt.Errorf("postgis: read a FeatureCollection: %w", err)
	}
	if c.Type != "FeatureCollection" {
		return fmt.Errorf("postgis: read a FeatureCollection: it is a %q", c.Type)
	}
	read := FeatureCollection{SRID: wgs84, Features: make([]Feature, len(c.Features))}
	if c.CRS != nil {
		srid, err := c.CRS.srid()
		if err != nil {
			return fmt.Errorf("postgis: read a FeatureCollection: %w", err)
		}
		read.SRID = srid
	}
	for i, f := range c.Features {
		if f.Type != "Feature" {
			return fmt.Errorf("postgis: read a FeatureCollection: feature %d is a %q", i, f.Type)
		}
		geometry, err := f.Geometry.in(read.SRID)
		if err != nil {
			return fmt.Errorf("postgis: read a FeatureCollection: feature %d: %w", i, err)
		}
		read.Features[i] = Feature{ID: f.ID, Geometry: geometry, Properties: f.Properties}
	}
	*fc = read
	return nil
}

// in is the geometry with another SRID, its coordinates as they are.
func (g Geometry) in(srid int) (Geometry, error) {
	if g.IsNull() {
		return g, nil
	}
	t, err := geom.SetSRID(g.T, srid)
	return Geometry{t}, err
}

// srid reads urn:ogc:def:crs:EPSG::3857, EPSG:3857 and urn:ogc:def:crs:OGC:1.3:CRS84.
func (c jsonCRS) srid() (int, error) {
	name := c.Properties["name"]
	if strings.HasSuffix(name, "CRS84") {
		return wgs84, nil
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 && strings.Contains(name[:i], "EPSG") {
		if srid, err := strconv.Atoi(name[i+1:]); err == nil && srid > 0 {
			return srid, nil
		}
	}
	return 0, fmt.Errorf("the crs %q names no EPSG code", name)
}
