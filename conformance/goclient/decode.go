package goclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// APIError is the error envelope of v2.md 1.8.
type APIError struct {
	Code            int64             `json:"code"`
	Message         string            `json:"message"`
	StatusCode      int               `json:"StatusCode"`
	Duration        string            `json:"duration"`
	MoreInfo        string            `json:"more_info"`
	Details         []int64           `json:"details"`
	ExceptionFields map[string]string `json:"exception_fields,omitempty"`
	Unrecoverable   *bool             `json:"unrecoverable,omitempty"`
}

func (e *APIError) Error() string {
	return fmt.Sprintf("HTTP %d code %d: %s", e.StatusCode, e.Code, e.Message)
}

// Decode reads an answer strictly: rate limit headers are integers, a status of 399 or more is an envelope (returned as
// *APIError), anything else a JSON object in which every required field is there with its type.
func Decode(status int, header http.Header, body []byte, into any) (LimitInfo, error) {
	limit, err := readRateLimit(header)
	if err != nil {
		return limit, fmt.Errorf("HTTP %d: %w", status, err)
	}
	envelope := new(APIError)
	if status >= 399 {
		into = envelope
	}
	if err := strict(body, into); err != nil {
		return limit, fmt.Errorf("HTTP %d: %w in %.300q", status, err, body)
	}
	switch {
	case status < 399:
		return limit, nil
	case envelope.StatusCode != status:
		return limit, fmt.Errorf("HTTP %d: the envelope says StatusCode %d", status, envelope.StatusCode)
	}
	return limit, envelope
}

func readRateLimit(header http.Header) (limit LimitInfo, err error) {
	for name, into := range map[string]*int64{
		"X-RateLimit-Limit": &limit.Limit, "X-RateLimit-Remaining": &limit.Remaining, "X-RateLimit-Reset": &limit.Reset,
	} {
		if *into, err = strconv.ParseInt(header.Get(name), 10, 64); err != nil {
			return limit, fmt.Errorf("header %s is %q, not an integer", name, header.Get(name))
		}
	}
	return limit, nil
}

func strict(body []byte, into any) error {
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return errors.New("body is not a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // custom data must come back digit by digit
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if field := missing("", object, reflect.TypeOf(into)); field != "" {
		return fmt.Errorf("required field %s is missing or null", field)
	}
	duration, _ := object["duration"].(string)
	if _, err := time.ParseDuration(duration); err != nil {
		return fmt.Errorf("duration %q is not a number with a unit", duration)
	}
	return nil
}

// missing finds the first required field that is absent or null, or "". Names count exactly here, because encoding/json
// alone would also take `statuscode` for `StatusCode`. A field is required unless its tag says omitempty.
func missing(path string, value any, kind reflect.Type) (field string) {
	switch kind.Kind() {
	case reflect.Pointer:
		return missing(path, value, kind.Elem())
	case reflect.Slice:
		items, _ := value.([]any)
		for index := 0; index < len(items) && field == ""; index++ {
			field = missing(fmt.Sprintf("%s[%d]", path, index), items[index], kind.Elem())
		}
	case reflect.Map:
		items, _ := value.(map[string]any)
		for key, item := range items {
			if field = missing(path+"."+key, item, kind.Elem()); field != "" {
				return field
			}
		}
	case reflect.Struct:
		object, _ := value.(map[string]any)
		for index := 0; index < kind.NumField() && object != nil && field == ""; index++ {
			field = missingField(path, object, kind.Field(index))
		}
	}
	return field
}

func missingField(path string, object map[string]any, field reflect.StructField) string {
	if field.Anonymous {
		return missing(path, object, field.Type)
	}
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	value := object[name]
	if value == nil && options != "omitempty" {
		return path + "." + name
	}
	return missing(path+"."+name, value, field.Type)
}
