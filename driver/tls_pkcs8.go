package driver

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
)

// The structures of RFC 5208 and RFC 8018 that an encrypted private key consists of.
type (
	encryptedKey struct {
		Algorithm struct {
			ID     asn1.ObjectIdentifier
			Params pbes2
		}
		Data []byte
	}
	pbes2 struct {
		KDF struct {
			ID     asn1.ObjectIdentifier
			Params kdfParams
		}
		Cipher struct {
			ID asn1.ObjectIdentifier
			IV []byte
		}
	}
	kdfParams struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}

	aesKeyLengths = map[string]int{
		"2.16.840.1.101.3.4.1.2":  16,
		"2.16.840.1.101.3.4.1.22": 24,
		"2.16.840.1.101.3.4.1.42": 32,
	}
)

// decryptPKCS8 opens a key of the form that OpenSSL writes since 1.0: PBES2 with PBKDF2 and AES-CBC.
func decryptPKCS8(der, password []byte) ([]byte, error) {
	var key encryptedKey
	if _, err := asn1.Unmarshal(der, &key); err != nil || !key.Algorithm.ID.Equal(oidPBES2) {
		return nil, errors.New("the encryption is not PBES2")
	}
	params := key.Algorithm.Params
	size := aesKeyLengths[params.Cipher.ID.String()]
	if size == 0 || !params.KDF.ID.Equal(oidPBKDF2) {
		return nil, errors.New("the encryption is not AES-CBC with PBKDF2")
	}
	var prf func() hash.Hash = sha1.New
	if id := params.KDF.Params.PRF.Algorithm; id.Equal(oidSHA256) {
		prf = sha256.New
	} else if len(id) > 0 {
		return nil, errors.New("the key derivation uses neither SHA-1 nor SHA-256")
	}
	if n := params.KDF.Params.Iterations; n < 1 || n > 10_000_000 {
		return nil, errors.New("the key derivation has a senseless count")
	}
	derived, err := pbkdf2.Key(prf, string(password), params.KDF.Params.Salt, params.KDF.Params.Iterations, size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	if len(params.Cipher.IV) != aes.BlockSize || len(key.Data) == 0 || len(key.Data)%aes.BlockSize != 0 {
		return nil, errors.New("the encrypted key is damaged")
	}
	plain := make([]byte, len(key.Data))
	cipher.NewCBCDecrypter(block, params.Cipher.IV).CryptBlocks(plain, key.Data)
	pad := int(plain[len(plain)-1])
	var inner asn1.RawValue
	if pad < 1 || pad > aes.BlockSize {
		return nil, errors.New("sslpassword does not open the key")
	}
	plain = plain[:len(plain)-pad]
	if rest, err := asn1.Unmarshal(plain, &inner); err != nil || len(rest) > 0 {
		return nil, errors.New("sslpassword does not open the key")
	}
	return plain, nil
}
