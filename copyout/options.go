package copyout

// Format is the format of a COPY stream.
type Format int

// The formats.
const (
	Text Format = iota
	Binary
	CSVFormat
)

// String is the format's name in SQL.
func (f Format) String() string {
	switch f {
	case Binary:
		return "binary"
	case CSVFormat:
		return "csv"
	}
	return "text"
}
