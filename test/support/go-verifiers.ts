// Verifiers that nobody here wrote: golang.org/x/mod/sumdb/{note,tlog}, driven by the few lines below, and the command fsck of
// github.com/transparency-dev/tessera. Both come from the Go module proxy and are built once.

/** Prints `verified <size>`, or `FAILED: ` and why; its arguments are the log's URL and verifier key. */
export const SUMDB = {
  'go.mod': 'module verify\n\ngo 1.23\n\nrequire golang.org/x/mod v0.33.0\n',
  'main.go': `package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}

func get(path string) []byte {
	response, err := http.Get(os.Args[1] + path)
	check(err)
	defer response.Body.Close()
	if response.StatusCode != 200 {
		check(fmt.Errorf("%s: %s", path, response.Status))
	}
	body, err := io.ReadAll(response.Body)
	check(err)
	return body
}

// The paths of tlog-tiles are those of sumdb without the height.
func tilePath(tile tlog.Tile) string { return strings.Replace(tile.Path(), "tile/8/", "tile/", 1) }

type tiles struct{ read map[string][]byte }

func (t tiles) Height() int                         { return 8 }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte)     {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := tilePath(tile)
		if t.read[path] == nil {
			t.read[path] = get(path)
		}
		all = append(all, t.read[path])
	}
	return all, nil
}

func main() {
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	checkpoint, err := note.Open(get("checkpoint"), note.VerifierList(verifier))
	check(err)
	lines := strings.Split(checkpoint.Text, "\\n")
	if lines[0] != verifier.Name() {
		check(fmt.Errorf("origin %q", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	var root tlog.Hash
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	copy(root[:], hash)

	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{map[string][]byte{}})
	treeHash, err := tlog.TreeHash(size, reader)
	check(err)
	if treeHash != root {
		check(fmt.Errorf("the root differs"))
	}
	var indexes []int64
	for i := int64(0); i < size; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	leaves, err := reader.ReadHashes(indexes)
	check(err)
	for first := int64(0); first < size; first += 256 {
		width := min(256, int(size-first))
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: width}
		bundle := get(strings.Replace(tilePath(tile), "tile/data/", "tile/entries/", 1))
		for i := first; i < first+int64(width); i++ {
			length := binary.BigEndian.Uint16(bundle)
			if tlog.RecordHash(bundle[2:2+length]) != leaves[i] {
				check(fmt.Errorf("entry %d is not in the tree", i))
			}
			bundle = bundle[2+length:]
		}
		if len(bundle) > 0 {
			check(fmt.Errorf("the bundle at %d is too long", first))
		}
	}
	for i := int64(0); i < size; i += 1 + size/50 {
		proof, err := tlog.ProveRecord(size, i, reader)
		check(err)
		check(tlog.CheckRecord(proof, size, root, i, leaves[i]))
		older, err := tlog.TreeHash(i+1, reader)
		check(err)
		growth, err := tlog.ProveTree(size, i+1, reader)
		check(err)
		check(tlog.CheckTree(growth, size, root, i+1, older))
	}
	fmt.Println("verified", size)
}
`,
};

/** Prints `Successfully fsck'd`, or `fsck failed: ` and why; it ends with 0 either way. */
export const FSCK = {
  'go.mod': 'module fsck\n\ngo 1.24.0\n\nrequire github.com/transparency-dev/tessera v1.0.4\n',
  'tools.go': '//go:build tools\n\npackage tools\n\nimport _ "github.com/transparency-dev/tessera/cmd/fsck"\n',
};

export const FSCK_PACKAGE = 'github.com/transparency-dev/tessera/cmd/fsck';
