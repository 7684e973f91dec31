package rpc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"google.golang.org/protobuf/proto"
)

const (
	defaultPage = 50
	maxPage     = 1000
)

// pageSize applies the defaults of AIP-158 as the protos document them.
func pageSize(asked int32) int {
	switch {
	case asked == 0:
		return defaultPage
	case asked > maxPage:
		return maxPage
	}
	return int(asked)
}

// maxPageBytes keeps a page below the 4 MiB that gRPC clients take by default.
const maxPageBytes = 3 << 20

// fit returns how many of items go on a page of size: as many as there are and
// as are not too large together, but one at least.
func fit[M proto.Message](items []M, size int) int {
	n, bytes := 0, 0
	for n < min(len(items), size) {
		if bytes += proto.Size(items[n]); bytes > maxPageBytes && n > 0 {
			break
		}
		n++
	}
	return n
}

const tokenSize = 16 // where the next page starts, and what it belongs to

// nextPage makes the token of the page that starts below cursor. It is bound to
// the method and the filter.
func nextPage(method, filter string, cursor int64) string {
	token := binary.BigEndian.AppendUint64(make([]byte, 0, tokenSize), uint64(cursor))
	return base64.RawURLEncoding.EncodeToString(append(token, boundTo(method, filter, token)...))
}

// pageStart returns the cursor in token; 0, the newest, when there is none.
// Errors are INVALID_ARGUMENT.
func pageStart(method, filter, token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenSize {
		return 0, invalidField("page_token", "not a token of this server")
	}
	if string(boundTo(method, filter, raw[:8])) != string(raw[8:]) {
		return 0, invalidField("page_token", "belongs to a request with another filter")
	}
	return int64(binary.BigEndian.Uint64(raw)), nil
}

func boundTo(method, filter string, cursor []byte) []byte {
	sum := sha256.Sum256([]byte(method + "\x00" + filter + "\x00" + string(cursor)))
	return sum[:tokenSize-8]
}
