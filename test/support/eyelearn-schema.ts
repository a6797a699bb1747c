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

/** Makes the tables that tracking and the dashboards touch, with two students and two modules. */
export async function createEyelearnTables(connection: Connection, variant: EyelearnVariant): Promise<void> {
  await connection.query(`CREATE TABLE eye_tracking_sessions (${trackingColumns(variant).join(', ')}) ENGINE=InnoDB`);
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
  await connection.query(
    "INSERT INTO users (id, first_name, last_name, email, section, camera_agreement_accepted) VALUES (7, 'Ana', 'Reyes', 'ana@school.example', 'BSIT-1A', 1), (8, 'Ben', 'Cruz', 'ben@school.example', 'BSIT-1B', 1)",
  );
  await connection.query("INSERT INTO modules (id, title) VALUES (3, 'Networks'), (4, 'Databases')");
  await connection.query("INSERT INTO module_parts (id, module_id, title) VALUES (1, 3, 'Layers'), (2, 4, 'Tables')");
  await connection.query(
    "INSERT INTO module_sections (id, module_part_id, subtitle) VALUES (12, 1, 'Frames'), (13, 1, 'Packets'), (14, 2, 'Keys')",
  );
}
