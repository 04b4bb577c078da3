package admin

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// scramIterations is the server's own default, which clients are used to.
const scramIterations = 4096

// ScramVerifier returns what the server stores of a password for SCRAM-SHA-256, with a random salt. [CreateRole] and [AlterRole] send it
// instead of the password: no log of the server ever has the password, and no server can read it. The server cannot look
// at the password's quality then, as its module passwordcheck does.
//
// An empty password is an error, because nobody can log in with one.
func ScramVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	return scramVerifier(password, salt, scramIterations)
}

func scramVerifier(password string, salt []byte, iterations int) (string, error) {
	switch {
	case password == "":
		return "", errors.New("an empty password")
	case strings.IndexByte(password, 0) >= 0:
		return "", errors.New("a password with a NUL byte")
	}
	salted, err := pbkdf2.Key(sha256.New, saslPrep(password), salt, iterations, sha256.Size)
	if err != nil {
		return "", errors.New("the password cannot be hashed") // the cause might tell of the password
	}
	stored := sha256.Sum256(keyed(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(keyed(salted, "Server Key"))), nil
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

var verifierForm = regexp.MustCompile(`^(SCRAM-SHA-256\$[1-9][0-9]*:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}|md5[0-9a-f]{32})$`)

// passwordClause is the clause that sets a password, "" where there is none to set. The error never shows it.
func passwordClause(password, verifier string) (string, error) {
	switch {
	case password == "" && verifier == "":
		return "", nil
	case password != "" && verifier != "":
		return "", errors.New("a Password and a Verifier exclude each other")
	case verifier != "" && !verifierForm.MatchString(verifier):
		return "", errors.New("the Verifier is none: one looks like SCRAM-SHA-256$4096:salt$key:key")
	}
	if password != "" {
		var err error
		if verifier, err = ScramVerifier(password); err != nil {
			return "", err
		}
	}
	quoted, err := literal(verifier)
	return " password " + quoted, err
}
