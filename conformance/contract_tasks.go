// What v2.md sections 3.5, 4 and 6 and semantics 9 and 11 say about tasks and the calls on many users that start them.
package main

import (
	"fmt"
	"regexp"
	"time"

	"headwater/conformance/goclient"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// taskPatience is what the official client's tests grant a task (v2.md 4), cut down to one server on the same machine.
const taskPatience = time.Minute

// deactivated shuts users out in bulk and returns the task.
func (t *trial) deactivated(request *goclient.DeactivateUsersRequest) string {
	response, err := t.client.DeactivateUsers(request)
	t.noError(err)
	t.require(uuid.MatchString(response.Data.TaskID), "task_id is %q", response.Data.TaskID)
	return response.Data.TaskID
}

func (t *trial) reactivated(request *goclient.ReactivateUsersRequest) string {
	response, err := t.client.ReactivateUsers(request)
	t.noError(err)
	t.require(uuid.MatchString(response.Data.TaskID), "task_id is %q", response.Data.TaskID)
	return response.Data.TaskID
}

// completed waits for a task about users and checks that it is done for each of them.
func (t *trial) completed(task string, users []string) {
	response, err := t.client.WaitForTask(task, taskPatience)
	t.noError(err)
	found := response.Data
	result := object{}
	for _, id := range users {
		result[id] = object{"status": "ok"}
	}
	t.equal("the task", found, object{
		"task_id": task, "status": "completed", "duration": found.Duration, "created_at": found.CreatedAt,
		"updated_at": found.UpdatedAt, "result": result,
	})
	age := time.Since(time.Unix(0, int64(found.CreatedAt)))
	t.require(age.Abs() < time.Hour && found.UpdatedAt >= found.CreatedAt, "times of the task: %+v", found)
}

// tasksDeactivate is v2.md 6: the task completes, the default query finds none of the users, and one who was deactivated and
// reactivated before can be deactivated again in bulk.
func tasksDeactivate(t *trial) {
	ids := t.three()
	t.noError(outcomeOf(t.client.DeactivateUser(ids[0], &goclient.DeactivateUserRequest{})))
	t.noError(outcomeOf(t.client.ReactivateUser(ids[0], &goclient.ReactivateUserRequest{})))
	task := t.deactivated(&goclient.DeactivateUsersRequest{UserIds: ids, MarkMessagesDeleted: goclient.PtrTo(true)})
	t.completed(task, ids)
	t.equal("by default", t.found(among(ids)), []string{})
	all := among(ids)
	all.IncludeDeactivatedUsers = goclient.PtrTo(true)
	t.equal("with include_deactivated_users", len(t.found(all)), len(ids))

	back := t.reactivated(&goclient.ReactivateUsersRequest{UserIds: ids, RestoreMessages: goclient.PtrTo(true)})
	t.completed(back, ids)
	t.equal("reactivated", len(t.found(among(ids))), len(ids))
}

// tasksAgain is semantics 9.7: of many, those who are deactivated or active already count as success.
func tasksAgain(t *trial) {
	ids := t.three()
	t.noError(outcomeOf(t.client.DeactivateUser(ids[1], &goclient.DeactivateUserRequest{})))
	everything := &goclient.DeactivateUsersRequest{
		UserIds: ids, CreatedByID: &ids[2], MarkMessagesDeleted: goclient.PtrTo(true), MarkChannelsDeleted: goclient.PtrTo(true),
	}
	t.completed(t.deactivated(everything), ids)
	t.completed(t.deactivated(&goclient.DeactivateUsersRequest{UserIds: ids}), ids)
	t.completed(t.reactivated(&goclient.ReactivateUsersRequest{UserIds: ids[:1]}), ids[:1])
	t.completed(t.reactivated(&goclient.ReactivateUsersRequest{UserIds: ids, RestoreChannels: goclient.PtrTo(true)}), ids)
	t.equal("afterwards", len(t.found(among(ids))), len(ids))
}

// tasksHundred: as many as one call takes, and one more.
func tasksHundred(t *trial) {
	users, ids := map[string]goclient.UserRequest{}, []string{}
	for number := 0; number < 100; number++ {
		id := t.id(fmt.Sprintf("h%d", number))
		ids, users[id] = append(ids, id), goclient.UserRequest{ID: id}
	}
	t.noError(outcomeOf(t.client.UpdateUsers(&goclient.UpdateUsersRequest{Users: users})))
	more := append([]string{t.existingUser("more")}, ids...)
	_, err := t.client.DeactivateUsers(&goclient.DeactivateUsersRequest{UserIds: more})
	t.refused(err, 400, 4, failedWith("DeactivateUsers"), "user_ids")
	t.completed(t.deactivated(&goclient.DeactivateUsersRequest{UserIds: ids, MarkMessagesDeleted: goclient.PtrTo(true)}), ids)
	t.equal("by default", t.found(among(ids)), []string{})
}

// tasksRefused: an id that is unknown, or named twice, refuses all of a call before there is a task (semantics 9.8).
func tasksRefused(t *trial) {
	known, unknown := t.existingUser("known"), t.id("unknown")
	for _, ids := range [][]string{{}, {known, unknown}, {known, known}} {
		_, err := t.client.DeactivateUsers(&goclient.DeactivateUsersRequest{UserIds: ids})
		t.refused(err, 400, 4, failedWith("DeactivateUsers"), "user_ids")
		_, err = t.client.ReactivateUsers(&goclient.ReactivateUsersRequest{UserIds: ids})
		t.refused(err, 400, 4, failedWith("ReactivateUsers"), "user_ids")
	}
	t.refused(outcomeOf(t.client.DeactivateUsers(nil)), 400, 4, failedWith("DeactivateUsers"), "user_ids")
	_, err := t.client.DeactivateUsers(&goclient.DeactivateUsersRequest{UserIds: []string{known}, CreatedByID: &unknown})
	t.refused(err, 404, 16, failedWith("DeactivateUsers"), unknown)
	t.equal("the known user", t.found(among([]string{known})), []string{known})
	_, err = t.client.GetTask("bf1c2d1b-04d6-4e67-873c-5b3ade478b0a")
	t.refused(err, 404, 16, failedWith("GetTask"), "bf1c2d1b-04d6-4e67-873c-5b3ade478b0a")
}
