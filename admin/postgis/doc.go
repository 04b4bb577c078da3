// Package postgis gives PostGIS's geometries a Go value, and finds, measures and exchanges rows by them.
//
//	I want to …                                  function
//	a geometry as an argument, scanned, as JSON   Geometry
//	rows that contain, lie in or meet a shape     Contains, Within, Intersects, Covers, CoveredBy
//	rows near a shape                             DWithin, Nearest, Distance
//	rows with a measure or a new geometry         Area, Perimeter, Length, Centroid, Buffer, Transform
//	rows as GeoJSON, GeoJSON into a table         ReadFeatures, WriteFeatures, FeatureCollection
//	an index, the geometry columns there are      CreateSpatialIndex, CreateSpatialIndexConcurrently, ListGeometryColumns
//
// Geometries are those of github.com/twpayne/go-geom: points, lines, polygons, their collections, with Z and M, and their
// SRID. Curves, triangles and polyhedral surfaces have no Go value there: scanning one is an error that names it; read them as
// text, or as ST_AsText(…) or ST_CurveToLine(…) gives them.
//
// The functions need the extension's schema on the search path, where it is by default. A database without it gives
// [admin.ErrExtensionNotAvailable]; in a transaction, which such a statement has failed, the server's error alone (SQLSTATE 42883, as
// a rule), for the server answers no question there. [admin.RequireExtension] asks ahead. Tables are strings as ext.ParseName reads
// them; columns are taken literally.
package postgis
