package matching

import (
	"context"

	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/directory"
)

// The formats of a table.
const (
	CSV  = "CSV"
	JSON = "JSON"
)

// Import is what is asked of a table.
type Import struct {
	Format, Content string
	// Partial takes the good rows although others are bad; Dry takes none.
	Partial, Dry bool
}

// Imported is what became of it.
type Imported struct {
	*directory.Plan
	Rows    int
	Applied bool
}

// ImportCenters judges a table row by row and, unless it is only tried, writes the good rows in one transaction. Each
// center is version-checked by the table's own etag. Faults: STALE_VERSION when a center changed meanwhile.
func (s *Service) ImportCenters(ctx context.Context, ask Import) (*Imported, error) {
	read := directory.ReadCSV
	if ask.Format == JSON {
		read = directory.ReadJSON
	}
	table, bad := read(ask.Content)
	if bad != nil {
		return &Imported{Plan: &directory.Plan{Rejected: []directory.Rejected{*bad}}}, nil
	}
	centers, err := s.allCenters(ctx)
	if err != nil {
		return nil, err
	}
	by := s.edit(ctx, ActionImport)
	done := &Imported{Plan: directory.MakePlan(table, centers, by.At), Rows: table.Rows()}
	if len(centers)+len(done.New) > maxCenters {
		return nil, fault.New(fault.ResourceExhausted, fault.FieldInvalid, "content", "The directory would hold more centers than it can.", "目录中的中心数将超过上限。")
	}
	if ask.Dry || len(done.Rejected) > 0 && !ask.Partial || done.Accepted() == 0 {
		return done, nil
	}
	for _, c := range done.New {
		if err := s.store.InsertCenter(ctx, c, by); err != nil {
			return nil, err
		}
	}
	for _, c := range done.Changed {
		if _, err := s.store.UpdateCenter(ctx, c.ID, c.Etag(), by, func(into *directory.Center) error {
			version := into.Version
			*into = *c
			into.Version = version
			return nil
		}); err != nil {
			return nil, err
		}
	}
	done.Applied = true
	return done, nil
}

// ExportCenters writes the directory as a table.
func (s *Service) ExportCenters(ctx context.Context, format, line string) (content string, rows int, err error) {
	centers, err := s.allCenters(ctx)
	if err != nil {
		return "", 0, err
	}
	var chosen []*directory.Center
	for _, c := range centers {
		if line == "" || c.Line == line {
			chosen = append(chosen, c)
		}
	}
	if format == JSON {
		return directory.WriteJSON(chosen)
	}
	return directory.WriteCSV(chosen)
}
