package main

import "strings"

func problemResponse(description string) object {
	return content(description, "application/problem+json", ref("schemas/Problem"))
}

// problemSchemas describe an error as RFC 9457 writes it.
func problemSchemas(reasons object) object {
	text := func(description string) object { return object{{"type", "string"}, {"description", description}} }
	return object{
		{"Problem", object{
			{"type", "object"},
			{"description", "An error (RFC 9457). An error of the process itself (500) says nothing but its number."},
			{"properties", object{
				{"type", text("Always about:blank.")},
				{"title", text("The HTTP status in words.")},
				{"status", object{{"type", "integer"}, {"description", "The HTTP status."}}},
				{"detail", text("What is wrong, for people. Absent where it is not for the caller.")},
				{"reason", refWith("schemas/ProblemReason", "What is wrong, for programs.")},
				{"domain", text("Whose reason it is: paynorm.dev.")},
				{"errors", object{{"type", "array"}, {"description", "The fields that were refused."}, {"items", object{
					{"type", "object"},
					{"properties", object{{"field", text("The path of the field.")}, {"detail", text("What is wrong with it.")}}},
					{"required", []string{"field", "detail"}},
				}}}},
			}},
			{"required", []string{"type", "title", "status"}},
		}},
		{"ProblemReason", reasons},
	}
}

// errorReasons is the schema of the reasons: the enum ErrorReason without its prefix.
func errorReasons(all descriptors) (object, error) {
	m, err := all.enum("paynorm.normalizer.v1.ErrorReason")
	if err != nil {
		return nil, err
	}
	var names []string
	text := "Reasons are never renamed or removed; there may be new ones."
	for i := range m.Values().Len() {
		v := m.Values().Get(i)
		if v.Number() == 0 {
			continue
		}
		name := strings.TrimPrefix(string(v.Name()), "ERROR_REASON_")
		names = append(names, name)
		text += "\n\n" + name + ": " + comment(v)
	}
	return object{{"type", "string"}, {"description", text}, {"enum", names}}, nil
}
