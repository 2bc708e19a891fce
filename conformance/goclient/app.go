package goclient

// GetApplicationResponse keeps the settings as they came; contract_app.go knows their names and types.
type GetApplicationResponse struct {
	Duration string         `json:"duration"`
	App      map[string]any `json:"app"`
}

// UpdateAppRequest has every list and map of the contract, since they travel as `null` even when only a scalar changes, and
// the other settings that the examples use.
type UpdateAppRequest struct {
	EnforceUniqueUsernames     *string             `json:"enforce_unique_usernames,omitempty"`
	CustomActionHandlerURL     *string             `json:"custom_action_handler_url,omitempty"`
	DisableAuthChecks          *bool               `json:"disable_auth_checks,omitempty"`
	GuestUserCreationDisabled  *bool               `json:"guest_user_creation_disabled,omitempty"`
	MultiTenantEnabled         *bool               `json:"multi_tenant_enabled,omitempty"`
	AllowedFlagReasons         []string            `json:"allowed_flag_reasons"`
	EventHooks                 []map[string]any    `json:"event_hooks"`
	ImageModerationBlockLabels []string            `json:"image_moderation_block_labels"`
	ImageModerationLabels      []string            `json:"image_moderation_labels"`
	UserSearchDisallowedRoles  []string            `json:"user_search_disallowed_roles"`
	WebhookEvents              []string            `json:"webhook_events"`
	ActivityMetricsConfig      map[string]int64    `json:"activity_metrics_config"`
	FileUploadConfig           *FileUploadConfig   `json:"file_upload_config,omitempty"`
	Grants                     map[string][]string `json:"grants"`
}

type FileUploadConfig struct {
	SizeLimit             int64    `json:"size_limit"`
	AllowedFileExtensions []string `json:"allowed_file_extensions,omitempty"`
	AllowedMimeTypes      []string `json:"allowed_mime_types,omitempty"`
	BlockedFileExtensions []string `json:"blocked_file_extensions,omitempty"`
	BlockedMimeTypes      []string `json:"blocked_mime_types,omitempty"`
}

// EmptyResponse is the answer of operations that return nothing but their duration.
type EmptyResponse struct {
	Duration string `json:"duration"`
}

// GetRateLimitsRequest travels in the query; Endpoints is a comma list of operation names.
type GetRateLimitsRequest struct {
	ServerSide, Android, Ios, Web, Unity *bool
	Endpoints                            *string
}

type GetRateLimitsResponse struct {
	Duration   string               `json:"duration"`
	Android    map[string]LimitInfo `json:"android,omitempty"`
	Ios        map[string]LimitInfo `json:"ios,omitempty"`
	ServerSide map[string]LimitInfo `json:"server_side,omitempty"`
	Unity      map[string]LimitInfo `json:"unity,omitempty"`
	Web        map[string]LimitInfo `json:"web,omitempty"`
}

// LimitInfo has Reset in unix seconds.
type LimitInfo struct {
	Limit     int64 `json:"limit"`
	Remaining int64 `json:"remaining"`
	Reset     int64 `json:"reset"`
}
