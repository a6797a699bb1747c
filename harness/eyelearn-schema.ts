import type { Connection } from 'mysql2/promise';

/** Shapes in which EyeLearn's tables are found in the field. */
export type EyelearnVariant =
  | 'full'
  | 'without_session_data'
  | 'without_focus_columns'
  | 'without_section'
  | 'more_session_types'
  | 'extra_required_column';

export const EYELEARN_VARIANTS: readonly EyelearnVariant[] = [
  'full',
  'without_session_data',
  'without_focus_columns',
  'without_section',
  'more_session_types',
  'extra_required_column',
];

function trackingColumns(variant: EyelearnVariant): string[] {
  const types =
    variant === 'more_session_types' ? "'viewing','pause','resume','cv_tracking'" : "'viewing','pause','resume'";
  return [
    'id INT AUTO_INCREMENT PRIMARY KEY',
    'user_id INT NOT NULL',
    'module_id INT NOT NULL',
    ...(variant === 'without_section' ? [] : ['section_id INT NULL']),
    'total_time_seconds INT DEFAULT 0',
    `session_type ENUM(${types}) DEFAULT 'viewing'`,
    'created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    'last_updated TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP',
    ...(variant === 'without_focus_columns'
      ? []
      : ['focused_time_seconds INT DEFAULT 0', 'unfocused_time_seconds INT DEFAULT 0']),
    ...(variant === 'without_session_data' ? [] : ['session_data TEXT NULL']),
    ...(variant === 'extra_required_column' ? ['device_label VARCHAR(40) NOT NULL', 'revision INT NOT NULL'] : []),
    'KEY by_module (user_id, module_id)',
    ...(variant === 'without_section' ? [] : ['KEY by_section (user_id, section_id)']),
    'KEY by_creation (created_at)',
  ];
}

/** Makes the tables of people and lessons, empty. */
export async function createPeopleTables(connection: Connection): Promise<void> {
  await connection.query(
    `CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(50), last_name VARCHAR(50),
      email VARCHAR(100) UNIQUE, password VARCHAR(255), gender ENUM('Male','Female','Other'), section VARCHAR(50) NULL,
      role ENUM('admin','student') DEFAULT 'student', camera_agreement_accepted TINYINT DEFAULT 0,
      camera_agreement_date DATETIME NULL) ENGINE=InnoDB`,
  );
  await connection.query(
    `CREATE TABLE modules (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(255), description TEXT,
      status ENUM('draft','published') DEFAULT 'published') ENGINE=InnoDB`,
  );
  await connection.query(
    'CREATE TABLE module_parts (id INT AUTO_INCREMENT PRIMARY KEY, module_id INT NOT NULL, title VARCHAR(255)) ENGINE=InnoDB',
  );
  await connection.query(
    `CREATE TABLE module_sections (id INT AUTO_INCREMENT PRIMARY KEY, module_part_id INT NOT NULL, subtitle VARCHAR(255))
      ENGINE=InnoDB`,
  );
}

/** Makes the tables that tracking and the dashboards touch, with two students and two modules. */
export async function createEyelearnTables(connection: Connection, variant: EyelearnVariant): Promise<void> {
  await connection.query(`CREATE TABLE eye_tracking_sessions (${trackingColumns(variant).join(', ')}) ENGINE=InnoDB`);
  await createPeopleTables(connection);
  await connection.query(
    "INSERT INTO users (id, first_name, last_name, email, section, camera_agreement_accepted) VALUES (7, 'Ana', 'Reyes', 'ana@school.example', 'BSIT-1A', 1), (8, 'Ben', 'Cruz', 'ben@school.example', 'BSIT-1B', 1)",
  );
  await connection.query("INSERT INTO modules (id, title) VALUES (3, 'Networks'), (4, 'Databases')");
  await connection.query("INSERT INTO module_parts (id, module_id, title) VALUES (1, 3, 'Layers'), (2, 4, 'Tables')");
  await connection.query(
    "INSERT INTO module_sections (id, module_part_id, subtitle) VALUES (12, 1, 'Frames'), (13, 1, 'Packets'), (14, 2, 'Keys')",
  );
}

/** Shapes of the tables of days: with the columns of either age alone, or of both. */
export type DayTablesVariant = 'both' | 'legacy' | 'new';

export const DAY_TABLES_VARIANTS: readonly DayTablesVariant[] = ['both', 'legacy', 'new'];

/** Makes the tables of days, of study sessions and of focus events. */
export async function createEyelearnDayTables(connection: Connection, variant: DayTablesVariant): Promise<void> {
  const legacy = ['total_focus_time INT DEFAULT 0'];
  const newer = [
    'total_focused_time INT DEFAULT 0',
    'total_unfocused_time INT DEFAULT 0',
    'focus_percentage DECIMAL(5,2) DEFAULT 0',
  ];
  const columns = [...(variant === 'new' ? [] : legacy), ...(variant === 'legacy' ? [] : newer)];
  await connection.query(
    `CREATE TABLE eye_tracking_analytics (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL, module_id INT NOT NULL,
      section_id INT NULL, date DATE NOT NULL, ${columns.join(', ')}, session_count INT DEFAULT 0,
      average_session_time INT DEFAULT 0, max_continuous_time INT DEFAULT 0,
      created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
      UNIQUE KEY one_per_day (user_id, module_id, section_id, date), KEY by_user (user_id, date), KEY by_module (module_id, date)) ENGINE=InnoDB`,
  );
  await connection.query(
    `CREATE TABLE focus_events (id INT AUTO_INCREMENT PRIMARY KEY, session_id INT NOT NULL,
      event_type ENUM('focus_start','focus_end','unfocus_start','unfocus_end') NOT NULL,
      timestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, duration_seconds INT NULL, confidence_score DECIMAL(3,2) NULL,
      KEY by_session (session_id), KEY by_time (timestamp)) ENGINE=InnoDB`,
  );
  await connection.query(
    `CREATE TABLE user_study_sessions (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL, date DATE NOT NULL,
      focus_score FLOAT NOT NULL, duration INT NOT NULL, created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
      CONSTRAINT study_user FOREIGN KEY (user_id) REFERENCES users (id)) ENGINE=InnoDB`,
  );
  await connection.query(
    `CREATE TABLE daily_analytics (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL, date DATE NOT NULL,
      total_study_time_seconds INT DEFAULT 0, total_focused_time_seconds INT DEFAULT 0, total_unfocused_time_seconds INT DEFAULT 0,
      session_count INT DEFAULT 0, average_focus_percentage DECIMAL(5,2) DEFAULT 0, longest_session_seconds INT DEFAULT 0,
      modules_studied INT DEFAULT 0, UNIQUE KEY one_per_day (user_id, date)) ENGINE=InnoDB`,
  );
}

/** Shapes of the tables of quiz results: today's, and the first ones. */
export type QuizTablesVariant = 'new' | 'old';

export const QUIZ_TABLES_VARIANTS: readonly QuizTablesVariant[] = ['new', 'old'];

/** Makes the tables of quizzes and their results, with quiz 5 of module 3. */
export async function createEyelearnQuizTables(connection: Connection, variant: QuizTablesVariant): Promise<void> {
  const result = [
    'id INT AUTO_INCREMENT PRIMARY KEY',
    'user_id INT NOT NULL',
    'quiz_id INT NOT NULL',
    'score INT NOT NULL',
  ];
  const columns: Record<QuizTablesVariant, Record<string, readonly string[]>> = {
    new: {
      quiz_results: [
        ...result,
        'module_id INT NOT NULL',
        'completion_date TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
        'percentage DECIMAL(5,2) NULL',
      ],
      retake_results: [
        ...result,
        'module_id INT NOT NULL',
        'completion_date TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
        'percentage DECIMAL(5,2) NULL',
      ],
      checkpoint_quiz_results: [
        'id INT AUTO_INCREMENT PRIMARY KEY',
        'user_id INT NOT NULL',
        'module_id INT NOT NULL',
        'checkpoint_quiz_id INT NOT NULL',
        'module_part_id INT NOT NULL',
        'score INT NOT NULL',
        'total_questions INT NOT NULL',
        'percentage DECIMAL(5,2) NOT NULL',
        'completion_date TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      ],
    },
    old: {
      quiz_results: [
        ...result,
        'module_id INT NOT NULL',
        'completion_date DATETIME NOT NULL',
        'module_title VARCHAR(255)',
      ],
      retake_results: [...result, 'retake_id INT NOT NULL DEFAULT 0', 'completion_date DATETIME NOT NULL'],
    },
  };
  await connection.query(
    'CREATE TABLE final_quizzes (id INT AUTO_INCREMENT PRIMARY KEY, module_id INT NOT NULL, title VARCHAR(255)) ENGINE=InnoDB',
  );
  await connection.query("INSERT INTO final_quizzes VALUES (5, 3, 'Networks')");
  for (const [table, definition] of Object.entries(columns[variant])) {
    await connection.query(`CREATE TABLE ${table} (${definition.join(', ')}) ENGINE=InnoDB`);
  }
}
