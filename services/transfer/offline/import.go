// Package offline checks a GTFS feed without a running line, and sends one to a line that runs.
//
// Invariant: it decides nothing itself. A feed is read by the package that plans read it by, and what is sent has passed
// that first.
package offline

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"huhang.example/services/internal/id"
	"huhang.example/services/transfer/timetable"
)

// Import is what to do with a feed.
type Import struct {
	Path   string // a zip or a folder
	Server string // base URL of the gateway; empty: only check
	Token  string // bearer token of somebody of operations
	Feed   string
	// Activate is the first service day, YYYYMMDD; empty: keep the version in force on no day.
	Activate string
}

// ErrRefused is a feed with broken rows; they have been written out.
var ErrRefused = errors.New("the feed is refused")

// Run checks the feed, and sends it where a server is given.
func (i Import) Run(ctx context.Context, out io.Writer) error {
	table, archive, err := i.read()
	var wrong *timetable.FeedError
	if errors.As(err, &wrong) {
		for _, row := range wrong.Rows {
			fmt.Fprintln(out, row.Error())
		}
		return fmt.Errorf("%w: %d errors", ErrRefused, len(wrong.Rows))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "version %s: %d stops, %d trips, %d connections, %d trips of other kinds left out, service days %s to %s\n",
		table.Version, len(table.Stops), len(table.Trips), len(table.Connections), table.LeftOut, table.From, table.To)
	if i.Server == "" {
		return nil
	}
	sum := sha256.Sum256(archive)
	var uploaded struct {
		Version struct {
			TimetableID string `json:"timetableId"`
			Digest      string `json:"digest"`
		} `json:"version"`
	}
	query := url.Values{"feed": {i.Feed}, "request_id": {id.Random().New("imp")}, "sha256": {hex.EncodeToString(sum[:])}}
	if err := i.call(ctx, http.MethodPost, "/v1/timetables:upload?"+query.Encode(), archive, &uploaded); err != nil {
		return err
	}
	fmt.Fprintf(out, "kept as %s\n", uploaded.Version.TimetableID)
	if i.Activate == "" {
		return nil
	}
	var list struct {
		Etag string `json:"etag"`
	}
	if err := i.call(ctx, http.MethodGet, "/v1/timetables?page_size=1", nil, &list); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"request_id": id.Random().New("act"), "effective_day": i.Activate, "etag": list.Etag})
	if err != nil {
		return err
	}
	if err := i.call(ctx, http.MethodPost, "/v1/timetables/"+uploaded.Version.TimetableID+":activate", body, &struct{}{}); err != nil {
		return err
	}
	fmt.Fprintf(out, "in force from %s on\n", i.Activate)
	return nil
}

// maxAnswer bounds what is read of an answer, maxArchive a feed.
const (
	maxAnswer  = 1 << 20
	maxArchive = 64 << 20
)

func (i Import) call(ctx context.Context, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(i.Server, "/")+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+i.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: HTTP %d: %s", path, res.StatusCode, text)
	}
	return json.Unmarshal(text, into)
}

// read returns the timetable, and the feed as a zip.
func (i Import) read() (*timetable.Timetable, []byte, error) {
	info, err := os.Stat(i.Path)
	if err != nil {
		return nil, nil, err
	}
	var archive []byte
	if info.IsDir() {
		archive, err = pack(i.Path)
	} else if info.Size() > maxArchive {
		return nil, nil, fmt.Errorf("%s is larger than %d bytes", i.Path, maxArchive)
	} else {
		archive, err = os.ReadFile(i.Path)
	}
	if err != nil {
		return nil, nil, err
	}
	table, err := timetable.ReadZip(bytes.NewReader(archive), int64(len(archive)), timetable.Limits{})
	return table, archive, err
}

// pack makes a zip of a folder's text files.
func pack(folder string) ([]byte, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := w.Create(filepath.Base(name))
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(text); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}
