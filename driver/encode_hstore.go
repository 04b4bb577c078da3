package driver

// appendHstore appends the text of an hstore; a nil pointer is NULL.
func appendHstore(dst []byte, m any) (_ []byte, err error) {
	start := len(dst)
	switch m := m.(type) {
	case map[string]string:
		for key, value := range m {
			if dst, err = appendPair(dst, start, key, &value); err != nil {
				return dst, err
			}
		}
	case map[string]*string:
		for key, value := range m {
			if dst, err = appendPair(dst, start, key, value); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

// appendPair appends a key and its value to the hstore that begins at start.
func appendPair(dst []byte, start int, key string, value *string) (_ []byte, err error) {
	if len(dst) > start {
		dst = append(dst, ", "...)
	}
	if dst, err = appendQuoted(dst, key); err != nil {
		return dst, err
	}
	dst = append(dst, "=>"...)
	if value == nil {
		return append(dst, "NULL"...), nil
	}
	return appendQuoted(dst, *value)
}

func appendQuoted(dst []byte, s string) ([]byte, error) {
	start := len(dst)
	dst, err := appendString(dst, s, "string in a map")
	return quoteTail(dst, start), err
}
