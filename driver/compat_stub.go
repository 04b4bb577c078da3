package driver

// Compat names the peer whose values Scan(*any) gives.
type Compat string

const (
	CompatPgx Compat = "pgx"
	CompatPq  Compat = "pq"
)

// InfinityMode says what an infinite date or timestamp becomes.
type InfinityMode string

const (
	InfinityError InfinityMode = "error"
	InfinityClamp InfinityMode = "clamp"
)
