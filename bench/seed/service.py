"""The eye tracking service of the seed's design, made as good as that design gets.

Flask and Socket.IO take data URLs, OpenCV decodes them, MediaPipe's Face Mesh with refined landmarks finds the points, and
EyeLearn's rule decides. What is better than the design asks for, so that the comparison is fair: frames are processed in
a pool of two threads, a newer frame of a student takes the place of one that waits, and posts to the platform hold up
no student. Set by the environment: PORT, PHP_ENDPOINT, POOL_THREADS, SAVE_EVERY_S.
"""

import base64
import os
import queue
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import cv2
import mediapipe as mp
import numpy as np
import requests
from flask import Flask, request
from flask_socketio import SocketIO, emit

ENDPOINT = os.environ["PHP_ENDPOINT"]
SAVE_EVERY_S = float(os.environ.get("SAVE_EVERY_S", "30"))
POOL_THREADS = int(os.environ.get("POOL_THREADS", "2"))
SMOOTHED_FRAMES = 10

cv2.setNumThreads(1)
app = Flask(__name__)
socketio = SocketIO(app, cors_allowed_origins="*", async_mode="threading", max_http_buffer_size=1_000_000)
posts = ThreadPoolExecutor(max_workers=2)
waiting = queue.SimpleQueue()
sessions = {}


def eye(points, outer, iris, upper, lower, left, right):
    """Where the iris is between the eye's corners and between its lids, or None where the eye is shut."""
    width = abs(points[left].x - points[right].x)
    gap = abs(points[upper].y - points[lower].y)
    if width < 0.01 or gap < 0.005:
        return None
    return (points[iris].x - points[outer].x) / width, (points[iris].y - points[upper].y) / gap


def judge(points):
    """The focus rule of the platform: (focused, direction)."""
    left = eye(points, 33, 468, 159, 145, 33, 133)
    right = eye(points, 362, 473, 386, 374, 362, 263)
    if left is None or right is None:
        return False, "eyes_closed"
    middle = (points[33].x + points[263].x) / 2
    turned = abs(points[1].x - middle) / max(1e-6, abs(points[33].x - points[263].x))
    frontal = turned < 0.15
    centred = all(0.3 < value < 0.7 for value in (*left, *right))
    aligned = abs(left[0] - right[0]) < 0.3
    if centred and frontal and aligned:
        return True, "centered"
    if left[0] < 0.3:
        return False, "looking_left"
    if left[0] > 0.7:
        return False, "looking_right"
    if left[1] < 0.3:
        return False, "looking_up"
    if left[1] > 0.7:
        return False, "looking_down"
    return False, "distracted" if frontal else "face_turned"


class Session:
    def __init__(self, sid, data):
        self.sid = sid
        self.ids = {name: data.get(name) for name in ("user_id", "module_id", "section_id")}
        self.mesh = mp.solutions.face_mesh.FaceMesh(
            max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.5, min_tracking_confidence=0.5
        )
        self.lock = threading.Lock()
        self.newest = None
        self.is_queued = False
        self.is_ended = False
        self.recent = deque(maxlen=SMOOTHED_FRAMES)
        self.state = None
        self.seconds = {True: 0.0, False: 0.0}
        self.bouts = {True: 0, False: 0}
        self.counted_at = time.monotonic()
        self.saved_at = self.counted_at

    def offer(self, data):
        """Takes the place of a frame that waits. True where the session must be queued."""
        with self.lock:
            self.newest = data
            must_queue = not self.is_queued
            self.is_queued = True
            return must_queue

    def take(self):
        with self.lock:
            data, self.newest = self.newest, None
            return data

    def done(self):
        """The frame is processed. True where another one came meanwhile."""
        with self.lock:
            self.is_queued = self.newest is not None
            return self.is_queued

    def count(self):
        now = time.monotonic()
        if self.state is not None:
            self.seconds[self.state] += now - self.counted_at
        self.counted_at = now

    def update(self, is_focused):
        self.recent.append(is_focused)
        smoothed = sum(self.recent) / len(self.recent) > 0.6
        self.count()
        if smoothed != self.state:
            self.bouts[smoothed] += 1
            self.state = smoothed
        return smoothed

    def metrics(self):
        focused, unfocused = self.seconds[True], self.seconds[False]
        total = focused + unfocused
        return {
            "focused_time": round(focused, 1),
            "unfocused_time": round(unfocused, 1),
            "total_time": round(total, 1),
            "focus_percentage": round(100 * focused / total, 1) if total > 0 else 0,
            "focus_sessions": self.bouts[True],
            "unfocus_sessions": self.bouts[False],
            "current_state": "focused" if self.state else "unfocused",
        }

    def save(self):
        """Posts the totals since the session's start, as the platform's service does."""
        self.saved_at = time.monotonic()
        body = {**self.ids, **self.metrics(), "session_type": "viewing"}
        del body["current_state"]
        posts.submit(requests.post, ENDPOINT, json=body, timeout=10)

    def process(self, data):
        encoded = base64.b64decode(data["frame"].split(",", 1)[1])
        picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
        found = self.mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
        is_focused, direction = judge(found[0].landmark) if found else (False, "no_face")
        smoothed = self.update(is_focused)
        if time.monotonic() - self.saved_at >= SAVE_EVERY_S:
            self.save()
        update = {
            "is_focused": smoothed,
            "gaze_direction": direction,
            "metrics": self.metrics(),
            "timestamp": datetime.now(timezone.utc).isoformat(),
            # Not in the design: tells the page of the bench which picture this answers.
            "frame_timestamp": data.get("timestamp"),
        }
        socketio.emit("tracking_update", update, to=self.sid)

    def end(self):
        self.is_ended = True
        self.count()
        self.save()


def work():
    while True:
        session = waiting.get()
        data = session.take()
        if data is not None and not session.is_ended:
            try:
                session.process(data)
            except Exception as error:  # one bad picture must not end the pool
                print(f"a frame could not be processed: {error}", flush=True)
        if session.done():
            waiting.put(session)


@app.get("/api/health")
def health():
    return {"status": "ok"}


@socketio.on("start_tracking")
def on_start(data):
    sessions[request.sid] = Session(request.sid, data)
    emit("tracking_started", {"success": True})


@socketio.on("video_frame")
def on_frame(data):
    session = sessions.get(request.sid)
    if session is not None and session.offer(data):
        waiting.put(session)


@socketio.on("stop_tracking")
def on_stop(_data=None):
    session = sessions.pop(request.sid, None)
    if session is not None:
        session.end()
    emit("tracking_stopped", {})


@socketio.on("disconnect")
def on_disconnect(*_args):
    session = sessions.pop(request.sid, None)
    if session is not None:
        session.end()


if __name__ == "__main__":
    for _ in range(POOL_THREADS):
        threading.Thread(target=work, daemon=True).start()
    socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), allow_unsafe_werkzeug=True)
